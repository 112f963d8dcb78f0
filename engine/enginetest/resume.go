package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

var resumeTests = map[string]func(*testing.T, Suite){
	"foreign positions":          foreignPositions,
	"position of the oldest":     oldestPosition,
	"tag of every offset":        tagOfEveryOffset,
	"evicted by count":           func(t *testing.T, s Suite) { evicted(t, s, log(3), nil) },
	"evicted by bytes":           func(t *testing.T, s Suite) { evicted(t, s, engine.Rules{Kind: engine.KindLog, MaxBytes: 30}, nil) },
	"evicted by age":             evictedByAge,
	"evicted by trim":            evictedByTrim,
	"positions outlive restarts": positionsOutliveRestarts,
}

// wantForeign checks that a position is known to be none of the channel, reading either way.
func wantForeign(t *testing.T, n *node, p engine.Position) {
	t.Helper()
	for _, q := range []engine.Query{{Since: &p, Limit: 10}, {Before: &p, Limit: 10}} {
		page := n.page("log:a", q)
		if page.Complete || page.Evicted || len(page.Publications) > 0 || page.Top != n.top("log:a") {
			t.Fatalf("page from %+v is %+v", p, page)
		}
	}
}

func foreignPositions(t *testing.T, s Suite) {
	n := start(t, s, always(log(5)))
	at := n.fill("log:a", 8)
	other := n.fill("log:b", 8)
	top := at[8]
	for _, p := range []engine.Position{
		{},
		{Epoch: top.Epoch + 1, Offset: top.Offset, Tag: top.Tag},
		{Epoch: top.Epoch, Offset: top.Offset, Tag: top.Tag + 1},
		{Epoch: top.Epoch, Offset: top.Offset + 1, Tag: top.Tag},
		{Epoch: top.Epoch, Offset: 1<<64 - 1, Tag: top.Tag},
		{Epoch: top.Epoch, Offset: 0, Tag: 1},
		other[8], other[0], other[5],
	} {
		wantForeign(t, n, p)
	}
}

// oldestPosition checks offset zero, which names no entry: good only while the first publication is there.
func oldestPosition(t *testing.T, s Suite) {
	n := start(t, s, always(log(2)))
	at := n.fill("log:a", 2)
	checkPage(t, n.page("log:a", engine.Query{Since: &at[0], Limit: 5}), at, 1, 2, false)
	at = append(at, n.say("log:a", "3"))
	checkLost(t, n.page("log:a", engine.Query{Since: &at[0], Limit: 5}), at)
	checkPage(t, n.page("log:a", engine.Query{Since: &at[1], Limit: 5}), at, 2, 3, false)
}

func tagOfEveryOffset(t *testing.T, s Suite) {
	n := start(t, s, always(log(40)))
	at := n.fill("log:a", 60)
	for round := range 2 {
		if round == 1 && s.Restarts {
			n.restart() // and once more, from disk
		}
		for _, p := range at[20:] { // from the position before the oldest on
			p.Tag ^= 0x80
			if since := n.page("log:a", engine.Query{Since: &p, Limit: 3}); since.Complete || since.Evicted {
				t.Fatalf("position %+v with another tag was taken", p)
			}
		}
	}
}

// evicted reads from positions that retention dropped, after pass let time go by.
func evicted(t *testing.T, s Suite, rules engine.Rules, pass func(*node)) {
	n := start(t, s, always(rules))
	at := n.fill("log:a", 40)
	if pass != nil {
		pass(n)
	}
	for _, p := range []engine.Position{at[0], at[1], at[20]} {
		checkLost(t, n.page("log:a", engine.Query{Since: &p, Limit: 10}), at)
		checkLost(t, n.page("log:a", engine.Query{Before: &p, Limit: 10}), at)
	}
	if page := n.page("log:a", engine.Query{Since: &at[40], Limit: 10}); !page.Complete {
		t.Fatalf("page since the top is %+v", page)
	}
}

func evictedByAge(t *testing.T, s Suite) {
	if !s.FollowsClock {
		t.Skip("the engine has its own clock")
	}
	rules := engine.Rules{Kind: engine.KindLog, MaxAge: time.Minute}
	evicted(t, s, rules, func(n *node) { n.clock.pass(2 * time.Minute) })
}

func evictedByTrim(t *testing.T, s Suite) {
	evicted(t, s, log(0), func(n *node) {
		if err := n.Trim(context.Background(), "log:a", n.page("log:a", engine.Query{Limit: 2}).Start); err != nil {
			t.Fatal(err)
		}
	})
}

func positionsOutliveRestarts(t *testing.T, s Suite) {
	if !s.Restarts {
		t.Skip("the engine keeps nothing")
	}
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 3)
	empty := n.top("log:b")
	for range 3 {
		n.restart()
		at = append(at, n.say("log:a", "more"))
		if top := n.top("log:b"); top != empty {
			t.Fatalf("top of an empty log was %+v and is %+v", empty, top)
		}
	}
	page := n.page("log:a", engine.Query{Since: &at[0], Limit: 100})
	if !page.Complete || len(page.Publications) != 6 {
		t.Fatalf("page is %+v", page)
	}
	for i, p := range page.Publications {
		if p.Position != at[i+1] {
			t.Fatalf("position %d is %+v, want %+v", i, p.Position, at[i+1])
		}
	}
}
