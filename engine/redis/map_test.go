package redis

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

func mapRules(string) engine.Rules { return engine.Rules{Kind: engine.KindMap} }

func (n *node) tryChange(channel string, c engine.MapChange, text string) (engine.Receipt, error) {
	return engine.PublishWait(context.Background(), n, engine.Proposal{Channel: channel, Map: &c, Message: message(text)})
}

func (n *node) change(channel string, c engine.MapChange, text string) engine.Position {
	n.t.Helper()
	r, err := n.tryChange(channel, c, text)
	if err != nil {
		n.t.Fatalf("change %+v: %v", c, err)
	}
	return r.Position
}

// mapKeys returns the keys of a map, in the order of their versions.
func (n *node) mapKeys(channel string) (keys []string) {
	n.t.Helper()
	for q := (engine.Query{Limit: 100}); ; {
		page := n.history(channel, q)
		for _, p := range page.Publications {
			if !p.Gone {
				keys = append(keys, p.Key)
			}
		}
		if !page.More {
			return keys
		}
		q.Since = &page.End
	}
}

// Keys expire on time by the clock of Redis, and the sweeper says so.
func TestKeysExpire(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), Rules: mapRules})
	n.listen("map:a")
	for i := range 250 { // more than are swept at once
		n.change("map:a", engine.MapChange{Key: fmt.Sprint(i), TTL: 100 * time.Millisecond}, "x")
	}
	n.change("map:a", engine.MapChange{Key: "stays"}, "x")
	eventually(t, "no reader sees them", func() bool { return slices.Equal(n.mapKeys("map:a"), []string{"stays"}) })
	eventually(t, "their deletion is fed", func() bool { return len(n.feed.of("map:a")) == 501 })
	checkChain(t, n.feed.of("map:a"))
	if page := n.history("map:a", engine.Query{Limit: 1}); page.Keys != 1 {
		t.Fatalf("it has %d keys", page.Keys)
	}
}

func TestOldTombstonesAreDropped(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), Rules: mapRules})
	start := n.change("map:a", engine.MapChange{Key: "stays"}, "x")
	var last engine.Position
	for i := range 1100 {
		n.change("map:a", engine.MapChange{Key: fmt.Sprint(i)}, "x")
		last = n.change("map:a", engine.MapChange{Key: fmt.Sprint(i), Delete: true}, "")
	}
	if page := n.history("map:a", engine.Query{Since: &start, Limit: 10}); page.Complete || !page.Evicted {
		t.Fatalf("page from before the oldest tombstone is %+v", page)
	}
	if page := n.history("map:a", engine.Query{Since: &last, Limit: 10}); !page.Complete {
		t.Fatalf("page at the end is %+v", page)
	}
	if keys := n.mapKeys("map:a"); !slices.Equal(keys, []string{"stays"}) {
		t.Fatalf("the map has %v", keys)
	}
}

// The tag of a version is known for a while, though the key has changed since.
func TestLostTailOfAMap(t *testing.T) {
	s := startServer(t, appendAlways...)
	n := startNode(t, Options{URL: s.url(), Rules: mapRules})
	n.listen("map:a")
	n.change("map:a", engine.MapChange{Key: "a"}, "kept")
	failover := s.keepCopy()
	lost := n.change("map:a", engine.MapChange{Key: "b"}, "lost")
	n.waitFed("map:a", lost)
	failover()
	eventually(t, "a new epoch begins", func() bool {
		page, err := n.History(context.Background(), "map:a", engine.Query{Limit: 1})
		return err == nil && page.Top.Epoch != lost.Epoch
	})
	n.waitFed("map:a", n.history("map:a", engine.Query{Limit: 1}).Top)
	n.wantReset("map:a", lost)
	if keys := n.mapKeys("map:a"); !slices.Equal(keys, []string{"a"}) {
		t.Fatalf("the map has %v", keys)
	}
}

func TestLostTailOfAMapThatWasWrittenOver(t *testing.T) {
	s := startServer(t, appendAlways...)
	n := startNode(t, Options{URL: s.url(), Rules: mapRules})
	n.change("map:a", engine.MapChange{Key: "a"}, "kept")
	failover := s.keepCopy()
	lost := n.change("map:a", engine.MapChange{Key: "b"}, "lost") // and nobody listens
	failover()
	other := startNode(t, Options{URL: s.url(), Rules: mapRules})
	for i := range 20 {
		other.change("map:a", engine.MapChange{Key: "a"}, fmt.Sprint(i))
	}
	other.wantReset("map:a", lost)
}

// What a map's feed misses can't be fed; readers find out.
func TestFeedOfAMapGoesOnAfterALoss(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), Rules: mapRules, CheckInterval: 50 * time.Millisecond})
	n.listen("map:a")
	at := n.change("map:a", engine.MapChange{Key: "a"}, "1")
	p := n.prepare(engine.Proposal{Channel: "map:a", Map: &engine.MapChange{Key: "b"}, Message: message("2")}, mapRules(""), nil)
	keys, args := n.changeCall([]proposal{p})
	args[0] = "nobody listens here"
	if err := n.exec(t.Context(), changeScript, keys, args).Error(); err != nil {
		t.Fatal(err)
	}
	top := n.history("map:a", engine.Query{Limit: 1}).Top
	n.waitFed("map:a", top)
	if page := n.history("map:a", engine.Query{Since: &at, Limit: 10}); !page.Complete || len(page.Publications) != 1 {
		t.Fatalf("page is %+v", page)
	}
	n.waitFed("map:a", n.change("map:a", engine.MapChange{Key: "a"}, "3"))
}

func TestWrongKind(t *testing.T) {
	rules := func(channel string) engine.Rules {
		if channel == "map:a" {
			return mapRules(channel)
		}
		return engine.Rules{Kind: engine.KindLog}
	}
	n := startNode(t, Options{URL: startServer(t).url(), Rules: rules})
	if _, err := n.try("map:a", "", "x"); err == nil {
		t.Error("a map took a message")
	}
	if _, err := n.tryChange("log:a", engine.MapChange{Key: "a"}, "x"); err == nil {
		t.Error("a log took a change")
	}
}

// A node that is merely behind does not begin a new epoch, wherever it is.
func TestFenceOfAMapThatLostNothing(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), Rules: mapRules})
	at := []engine.Position{n.listen("map:a")}
	for i := range 5 {
		at = append(at, n.change("map:a", engine.MapChange{Key: "a"}, fmt.Sprint(i)))
	}
	f := n.feeds.find(n.keys.channel("map:a").feed)
	for _, p := range at {
		if err := f.fence(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if top := n.history("map:a", engine.Query{Limit: 1}).Top; top != at[5] {
		t.Fatalf("top is %+v, was %+v", top, at[5])
	}
	wrong := at[3]
	wrong.Tag++
	if err := f.fence(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	if top := n.history("map:a", engine.Query{Limit: 1}).Top; top.Epoch == at[5].Epoch {
		t.Fatal("no new epoch began")
	}
}
