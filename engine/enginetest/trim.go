package enginetest

import (
	"context"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
)

var trimTests = map[string]func(*testing.T, Suite){
	"drops for good":       trimDrops,
	"everything":           trimEverything,
	"foreign positions":    trimForeign,
	"while publishing":     trimWhilePublishing,
	"what is already gone": trimAgain,
	"never goes back":      trimNeverGoesBack,
}

func (n *node) trim(p engine.Position) {
	n.t.Helper()
	if err := n.Trim(context.Background(), "log:a", p); err != nil {
		n.t.Fatalf("trim: %v", err)
	}
}

func trimDrops(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 200)
	n.trim(at[150])
	for range 2 {
		checkPage(t, n.page("log:a", engine.Query{Limit: 500}), at, 151, 200, false)
		checkPage(t, n.page("log:a", engine.Query{Since: &at[150], Limit: 500}), at, 151, 200, false)
		checkLost(t, n.page("log:a", engine.Query{Since: &at[149], Limit: 500}), at)
		if s.Restarts {
			n.restart()
		}
	}
}

func trimEverything(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 100)
	n.trim(at[100])
	if s.Restarts {
		n.restart()
	}
	checkPage(t, n.page("log:a", engine.Query{Limit: 5}), at, 101, 100, false)
	checkPage(t, n.page("log:a", engine.Query{Since: &at[100], Limit: 5}), at, 101, 100, false)
	checkLost(t, n.page("log:a", engine.Query{Since: &at[99], Limit: 5}), at)
	at = append(at, n.say("log:a", "101"))
	checkPage(t, n.page("log:a", engine.Query{Since: &at[100], Limit: 5}), at, 101, 101, false)
	if at[101].Offset != 101 || at[101].Epoch != at[100].Epoch {
		t.Fatalf("position after trimming all is %+v", at[101])
	}
}

func trimForeign(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 3)
	other := n.fill("log:b", 3)
	bad := at[2]
	bad.Tag++
	future := at[3]
	future.Offset++
	for _, p := range []engine.Position{{}, other[2], bad, future, {Epoch: at[0].Epoch, Tag: 7}} {
		n.want(n.Trim(context.Background(), "log:a", p), engine.ErrBadPosition)
	}
	checkPage(t, n.page("log:a", engine.Query{Limit: 5}), at, 1, 3, false)
}

func trimWhilePublishing(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 50)
	middle := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { publishEach(n, "log:a", 500, middle) })
	<-middle
	n.trim(at[50])
	wg.Wait()
	if s.Restarts {
		n.restart()
	}
	page := n.page("log:a", engine.Query{Since: &at[50], Limit: 1000})
	if !page.Complete || len(page.Publications) != 500 {
		t.Fatalf("%d publications are left, want 500", len(page.Publications))
	}
	checkLost(t, n.page("log:a", engine.Query{Since: &at[49], Limit: 5}), []engine.Position{page.Top})
}

func trimAgain(t *testing.T, s Suite) {
	n := start(t, s, always(log(2)))
	at := n.fill("log:a", 5)
	n.trim(at[0])
	n.trim(at[1])
	checkPage(t, n.page("log:a", engine.Query{Limit: 5}), at, 4, 5, false)
}

func trimNeverGoesBack(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 300)
	var wg sync.WaitGroup
	for _, p := range at[1:280] {
		wg.Go(func() {
			if err := n.Trim(context.Background(), "log:a", p); err != nil {
				t.Errorf("trim: %v", err)
			}
		})
	}
	wg.Wait()
	if s.Restarts {
		n.restart()
	}
	checkPage(t, n.page("log:a", engine.Query{Limit: 500}), at, 280, 300, false)
}
