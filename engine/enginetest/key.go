package enginetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// key reads a key that must be readable.
func (n *node) key(key string) *engine.Publication {
	n.t.Helper()
	p, err := n.Key(context.Background(), scores, key)
	if err != nil {
		n.t.Fatalf("read key %q: %v", key, err)
	}
	return p
}

func testMapKey(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	if p := n.key("a"); p != nil {
		t.Errorf("a map that was never used has %+v", p)
	}
	n.set("a", "1")
	n.set("b", "2")
	r := n.change(engine.MapChange{Key: "a"}, "3")
	n.want(r.err, nil)
	p := n.key("a")
	if p == nil || p.Position != r.receipt.Position || p.Key != "a" || text(p) != "3" {
		t.Fatalf("the key has %+v, was set at %+v", p, r.receipt.Position)
	}
	n.want(n.change(engine.MapChange{Key: "a", IfVersion: &p.Offset}, "4").err, nil)
	n.delete("a")
	if p := n.key("a"); p != nil {
		t.Errorf("a key that was deleted has %+v", p)
	}
	if s.FollowsClock {
		n.want(n.change(engine.MapChange{Key: "b", TTL: time.Minute}, "5").err, nil)
		n.clock.pass(time.Minute)
		if p := n.key("b"); p != nil {
			t.Errorf("a key whose time is over has %+v", p)
		}
	}
	_, err := n.Key(context.Background(), "log:a", "a")
	n.want(err, engine.ErrNoHistory)
}

// Those who count in one key, each by what Key says and by compare-and-set, count exactly.
func testMapKeyCounts(t *testing.T, s Suite) {
	const counters, each = 4, 25
	n := start(t, s, mapRules(0))
	var counting sync.WaitGroup
	for range counters {
		counting.Go(func() {
			for range each {
				n.increment()
			}
		})
	}
	counting.Wait()
	if p := n.key("n"); p == nil || p.Offset != counters*each {
		t.Errorf("counted to %+v, want %d", p, counters*each)
	}
}

// increment changes the key "n" once nobody else was faster.
func (n *node) increment() {
	for {
		var version uint64
		p, err := n.Key(context.Background(), scores, "n")
		if err != nil {
			n.t.Errorf("read key: %v", err)
			return
		}
		if p != nil {
			version = p.Offset
		}
		_, err = engine.PublishWait(context.Background(), n, engine.Proposal{
			Channel: scores, Map: &engine.MapChange{Key: "n", IfVersion: &version}, Message: message("one more"),
		})
		switch {
		case err == nil:
			return
		case errors.Is(err, engine.ErrVersionMismatch):
		default:
			n.t.Errorf("set key: %v", err)
			return
		}
	}
}
