package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// emptiedTests have the engine lose all that it keeps, while nobody publishes.
var emptiedTests = map[string]func(*testing.T, Suite){
	"log":  func(t *testing.T, s Suite) { emptied(t, s, engine.Rules{Kind: engine.KindLog}) },
	"live": func(t *testing.T, s Suite) { emptied(t, s, engine.Rules{}) },
	"map":  func(t *testing.T, s Suite) { emptied(t, s, engine.Rules{Kind: engine.KindMap}) },
}

// emptied checks that the node is told that a channel began anew, so that its readers are reset before the next publication,
// and that it is fed from there.
func emptied(t *testing.T, s Suite, rules engine.Rules) {
	const channel = "a:a"
	n := start(t, s, func(name string) engine.Rules {
		if name == channel {
			return rules
		}
		return log(0)
	})
	n.subscribe(channel)
	var last engine.Position
	for _, text := range []string{"1", "2", "3"} {
		last = n.tell(channel, rules, text)
	}
	n.waitFedTo(channel, last)
	s.Empty(t, n.env)
	top := n.waitRestarted(channel)
	if top.Epoch == 0 || top.Epoch == last.Epoch || top.Offset != 0 {
		t.Fatalf("after %+v it goes on at %+v", last, top)
	}
	if rules.Kind != engine.KindPub {
		q := engine.Query{Since: &last, Limit: 10}
		if page := n.page(channel, q); page.Complete || page.Evicted || page.Top != top {
			t.Fatalf("page since %+v, which was lost: %+v", last, page)
		}
	}
	p := n.tell(channel, rules, "4")
	f := n.waitFedTo(channel, p)
	if p.Epoch != top.Epoch || p.Offset != 1 || f.PrevTag != top.Tag || text(f) != "4" {
		t.Fatalf("after %+v, at %+v was fed: %+v", top, p, f)
	}
}

// tell publishes text, in a map as a key of that name.
func (n *node) tell(channel string, rules engine.Rules, text string) engine.Position {
	n.t.Helper()
	p := engine.Proposal{Channel: channel, Message: message(text)}
	if rules.Kind == engine.KindMap {
		p.Map = &engine.MapChange{Key: text}
	}
	r, err := engine.PublishWait(context.Background(), n, p)
	n.want(err, nil)
	return r.Position
}

// waitFedTo returns the publication at p once it was fed last. Of a map, others before it may have been left out.
func (n *node) waitFedTo(channel string, p engine.Position) *engine.Publication {
	n.t.Helper()
	timeout := time.After(wait)
	for {
		fed, more := n.feed.channel(channel)
		if len(fed) > 0 && fed[len(fed)-1].Position == p {
			return fed[len(fed)-1]
		}
		select {
		case <-more:
		case <-timeout:
			n.t.Fatalf("fed %d publications, the last is not that at %+v", len(fed), p)
		}
	}
}

// waitRestarted returns where the channel goes on, once the node was told that it does not join.
func (n *node) waitRestarted(channel string) engine.Position {
	n.t.Helper()
	timeout := time.After(wait)
	for {
		top, more := n.feed.restart(channel)
		if top.Epoch != 0 {
			return top
		}
		select {
		case <-more:
		case <-timeout:
			n.t.Fatal("the node was not told that the channel began anew")
		}
	}
}
