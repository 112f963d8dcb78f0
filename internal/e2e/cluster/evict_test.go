package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// Logs that forget faster than their readers come back, by count and by age, each time to another node: every gap is
// announced by a reset, there is none where nothing was gone, and what was seen beside the gaps is what was committed.
func TestEviction(t *testing.T) {
	t.Parallel()
	for namespace, keeps := range map[string]checker.Retention{"few": {Size: 40}, "young": {Age: time.Second}} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			testEviction(t, namespace, keeps)
		})
	}
}

func testEviction(t *testing.T, namespace string, keeps checker.Retention) {
	t.Helper()
	const channels, readers, atOnce = 3, 9, 8
	perChannel := testkit.Scale(2000, 12_000)
	run, f, crew := testkit.Begin("D4"), startFleet(t), newCrew(t)
	streams := newStreams(t, f.connect(t, 0), namespace, channels, keeps)
	ways := newRoamer(f.addrs()...)
	ways.minBytes, ways.maxBytes = 200, 30_000
	for i := range readers {
		// Age evicts only for those who stay away for longer.
		c := ways.connect(t, client.Options{QueueEvents: 64, BackoffBase: 2 * keeps.Age, BackoffMax: 2 * keeps.Age})
		crew.do(func(ctx context.Context) error { return streams[i%channels].read(ctx, c, uint64(perChannel)) })
	}
	for i, s := range streams {
		c := f.connect(t, i)
		crew.do(func(ctx context.Context) error { return s.sayMany(ctx, c, perChannel, atOnce) })
	}
	crew.wait()
	run.Totals = conclude(t, streams)
	run.Counted = fmt.Sprintf("%d cuts, %d evicted", ways.cuts.Load(), run.Totals.Skipped)
	if told := run.Totals.Deliveries + run.Totals.Skipped; told != readers*perChannel {
		t.Errorf("%d deliveries and announced as gone, want %d", told, readers*perChannel)
	}
	if run.Totals.AllResets() == 0 || run.Totals.Deliveries == 0 {
		t.Errorf("%d resets and %d deliveries: nothing was evicted, or everything", run.Totals.AllResets(), run.Totals.Deliveries)
	}
	run.End(t)
}

// nowhere are positions that are none of a channel, made from one that is.
var nowhere = map[string]struct {
	since func(p engine.Position) string
	why   wire.ResetReason
}{
	"another epoch": {func(p engine.Position) string { p.Epoch++; return p.String() }, wire.ResetEpoch},
	"the future":    {func(p engine.Position) string { p.Offset += 1 << 40; return p.String() }, wire.ResetUnknown},
	"a wrong tag":   {func(p engine.Position) string { p.Tag++; return p.String() }, wire.ResetUnknown},
	"garbage":       {func(engine.Position) string { return "garbage" }, wire.ResetUnknown},
}

// A reader that names a position of nowhere is told so by every node before anything else, and then gets what follows.
func TestPositionsOfNowhere(t *testing.T) {
	t.Parallel()
	run, f, crew := testkit.Begin("D4"), startFleet(t), newCrew(t)
	publisher := f.connect(t, 0)
	s := newStreams(t, publisher, "log", 1, checker.Retention{})[0]
	if err := s.sayMany(crew.ctx, publisher, 10, 1); err != nil {
		t.Fatal(err)
	}
	page, err := publisher.History(crew.ctx, s.Channel(), client.HistoryOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	at, err := engine.ParsePosition(page.Position)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.nodes {
		for name, p := range nowhere {
			c := f.connect(t, i)
			sub, err := c.Subscribe(crew.ctx, s.Channel(), client.SubscribeOptions{Since: p.since(at)})
			if err != nil {
				t.Fatal(err)
			}
			r := s.Stranger()
			ev, err := sub.Next(crew.ctx)
			if err == nil {
				err = r.Note(ev)
			}
			if reset, ok := ev.(client.Reset); err != nil || !ok || reset.Why != p.why {
				t.Fatalf("%s: node %d answers with %#v, %v; want a reset: %s", name, i, ev, err, p.why)
			}
			crew.do(func(ctx context.Context) error { return follow(ctx, sub, r, 20) })
		}
	}
	if err := s.sayMany(crew.ctx, publisher, 10, 1); err != nil {
		t.Fatal(err)
	}
	crew.wait()
	run.Totals = conclude(t, []*stream{s})
	run.Counted = fmt.Sprintf("%d kinds of positions at %d nodes", len(nowhere), nodeCount)
	if want := len(nowhere) * nodeCount; run.Totals.AllResets() != want || run.Totals.Deliveries != want*10 {
		t.Errorf("%d resets and %d deliveries, want %d and %d", run.Totals.AllResets(), run.Totals.Deliveries, want, want*10)
	}
	run.End(t)
}
