package redis

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
)

// All nodes are fed the same, in the order in which each publisher published.
func TestOneOrderOnAllNodes(t *testing.T) {
	s := startServer(t)
	var nodes []*node
	for range 3 {
		n := startNode(t, Options{URL: s.url()})
		n.listen("log:a")
		nodes = append(nodes, n)
	}
	const publishers, each = 4, 200
	var all sync.WaitGroup
	for i, n := range nodes {
		for j := range publishers {
			all.Go(func() {
				for k := range each {
					n.say("log:a", fmt.Sprintf("%d %d %d", i, j, k))
				}
			})
		}
	}
	all.Wait()
	log := nodes[0].everything("log:a")
	if len(log) != len(nodes)*publishers*each {
		t.Fatalf("the log has %d publications", len(log))
	}
	next := map[string]int{}
	for _, p := range log {
		var i, j, k int
		fmt.Sscanf(text(p), "%d %d %d", &i, &j, &k)
		publisher := fmt.Sprint(i, j)
		if k != next[publisher] {
			t.Fatalf("publisher %s: %d, want %d", publisher, k, next[publisher])
		}
		next[publisher]++
	}
	for _, n := range nodes {
		fed := n.waitFed("log:a", log[len(log)-1].Position)
		if checkChain(t, fed); len(fed) != len(log) {
			t.Fatalf("fed %d publications, want %d", len(fed), len(log))
		}
	}
}

// A publish that is repeated on another node is committed once and answered alike, in a log, a live channel and a map.
func TestRepeatOnAnotherNode(t *testing.T) {
	s := startServer(t)
	rules := func(channel string) engine.Rules {
		switch channel {
		case "log:a":
			return engine.Rules{Kind: engine.KindLog}
		case "map:a":
			return engine.Rules{Kind: engine.KindMap}
		}
		return engine.Rules{}
	}
	a, b := startNode(t, Options{URL: s.url(), Rules: rules}), startNode(t, Options{URL: s.url(), Rules: rules})
	for _, channel := range []string{"log:a", "live:a", "map:a"} {
		a.listen(channel)
		p := engine.Proposal{Channel: channel, User: "ann", Idem: "once", Message: message("1")}
		if channel == "map:a" {
			p.Map = &engine.MapChange{Key: "k"}
		}
		first, err := engine.PublishWait(t.Context(), a, p)
		if err != nil || first.Duplicate || first.Position.Offset != 1 {
			t.Fatalf("%s: first is %+v, %v", channel, first, err)
		}
		again, err := engine.PublishWait(t.Context(), b, p)
		if err != nil || !again.Duplicate || again.Position != first.Position {
			t.Fatalf("%s: repeat is %+v, %v, the first was %+v", channel, again, err, first)
		}
		p.Message = message("2")
		if _, err := engine.PublishWait(t.Context(), b, p); !errors.Is(err, engine.ErrIdemReused) {
			t.Fatalf("%s: another message: %v", channel, err)
		}
	}
}
