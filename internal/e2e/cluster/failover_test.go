package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// tail is a failover to a replica that lost what readers of a log saw last.
type tail struct {
	*pair
	t       *testing.T
	run     *testkit.Run
	crew    *crew
	stream  *stream
	readers []*client.Subscription // one at each node
	seen    []*checker.Reader
	ways    *roamer
}

// loseTail has readers at all nodes see publications, of which the last lost ones do not reach the replica; then the
// primary dies. The lines of the nodes are cut.
func loseTail(t *testing.T, kept, lost int) *tail {
	t.Helper()
	f := &tail{pair: startPair(t), t: t, run: testkit.Begin("D5"), crew: newCrew(t)}
	f.ways = newRoamer(f.nodes[0].addr)
	publisher := f.ways.connect(t, client.Options{})
	f.stream = newStreams(t, publisher, "log", 1, checker.Retention{})[0]
	for i := range f.nodes {
		sub, err := f.connect(t, i).Subscribe(f.crew.ctx, f.stream.Channel(), client.SubscribeOptions{Since: f.stream.origin})
		if err != nil {
			t.Fatal(err)
		}
		f.readers = append(f.readers, sub)
		f.seen = append(f.seen, f.stream.Reader(f.stream.origin))
	}
	f.publish(publisher, kept)
	f.part(t)
	f.publish(publisher, lost)
	f.readAll(uint64(kept + lost))
	f.stream.ExpectEpoch()
	f.promote()
	return f
}

func (f *tail) publish(c *client.Client, n int) {
	f.t.Helper()
	if err := f.stream.sayMany(f.crew.ctx, c, n, 1); err != nil {
		f.t.Fatal(err)
	}
}

// readAll has every reader come to an offset.
func (f *tail) readAll(until uint64) {
	f.t.Helper()
	for i, sub := range f.readers {
		if err := follow(f.crew.ctx, sub, f.seen[i], until); err != nil {
			f.t.Fatal(err)
		}
	}
}

// fail leads the nodes to the replica, and waits until every reader is told to begin anew.
func (f *tail) fail() (slowest time.Duration) {
	f.t.Helper()
	f.lead()
	began := time.Now()
	for i, sub := range f.readers {
		ev, err := sub.Next(f.crew.ctx)
		if err == nil {
			err = f.seen[i].Note(ev)
		}
		if reset, ok := ev.(client.Reset); err != nil || !ok || reset.Why != wire.ResetEpoch {
			f.t.Fatalf("after the failover reader %d is told %#v, %v", i, ev, err)
		}
		slowest = max(slowest, time.Since(began))
	}
	if slowest > checkInterval+10*time.Second {
		f.t.Errorf("readers were told after %v", slowest)
	}
	return slowest
}

// goOn publishes at every node, and checks that all readers, and one that comes now from what was lost, see the same.
func (f *tail) goOn(each int) {
	f.t.Helper()
	lost := f.stream.Reader(f.readers[0].Position())
	lost.Leave()
	for i := range f.nodes {
		f.publish(f.connect(f.t, i), each)
	}
	page, err := f.connect(f.t, 0).History(f.crew.ctx, f.stream.Channel(), client.HistoryOptions{Limit: 1})
	if err != nil {
		f.t.Fatal(err)
	}
	f.readAll(page.Publications[0].Offset)
}

// A replica that lacks what readers saw last is promoted, and nobody publishes: all readers are told within the interval.
func TestFailoverLosesTail(t *testing.T) {
	t.Parallel()
	f := loseTail(t, 20, 5)
	slowest := f.fail()
	f.goOn(10)
	f.end(fmt.Sprintf("%d readers told within %.1f s", len(f.readers), slowest.Seconds()))
}

// Before the nodes reach the promoted replica, another server has published more to it than was lost: offsets that readers
// saw are taken by other messages, in the same epoch.
func TestFailoverTailIsWrittenOver(t *testing.T) {
	t.Parallel()
	const kept, lost, over = 20, 5, 12
	f := loseTail(t, kept, lost)
	fresh := newRoamer(startNode(t, f.replica.url()).addr).connect(t, client.Options{})
	for range over {
		// The ledger is not told the answers: they name offsets that it knows other messages at.
		m := checker.Message{Number: f.stream.Begin(len(text)), Text: text}
		p, err := fresh.PublishJSON(f.crew.ctx, f.stream.Channel(), m)
		if err != nil || p.Offset > kept+over {
			t.Fatalf("published at %d, %v", p.Offset, err)
		}
	}
	slowest := f.fail()
	f.goOn(10)
	f.end(fmt.Sprintf("%d written over; %d readers told within %.1f s", over, len(f.readers), slowest.Seconds()))
}

// end checks what was counted: each reader was reset once, and no client lost its connection.
func (f *tail) end(counted string) {
	f.t.Helper()
	f.run.Totals, f.run.Counted = conclude(f.t, []*stream{f.stream}), counted
	if connections, _ := f.ways.visited(); f.run.Totals.AllResets() != len(f.readers) || connections != 1 {
		f.t.Errorf("%d resets and %d connections of a client, want %d and 1", f.run.Totals.AllResets(), connections, len(f.readers))
	}
	f.run.End(f.t)
}

// A reader who was away during the failover comes back, to any node, with the position of something that was lost.
func TestReturnAfterFailover(t *testing.T) {
	t.Parallel()
	f := loseTail(t, 20, 5)
	position := f.readers[0].Position()
	f.fail()
	for i := range f.nodes {
		sub, err := f.connect(t, i).Subscribe(f.crew.ctx, f.stream.Channel(), client.SubscribeOptions{Since: position})
		if err != nil {
			t.Fatal(err)
		}
		if ev, err := nextWithin(f.crew.ctx, sub, checkInterval); err != nil || ev.(client.Reset).Why != wire.ResetEpoch {
			t.Errorf("a reader that comes back to node %d is told %#v, %v", i, ev, err)
		}
	}
	f.end(fmt.Sprintf("%d readers come back with what was lost", len(f.nodes)))
}

func nextWithin(ctx context.Context, sub *client.Subscription, d time.Duration) (client.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return sub.Next(ctx)
}
