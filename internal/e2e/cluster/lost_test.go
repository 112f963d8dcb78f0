package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// A message between Redis and a node is lost. The node finds out with the next one, or, if there is none, within the
// interval of its check; its clients stay connected, and miss nothing.
func TestLostMessage(t *testing.T) {
	t.Parallel()
	for name, following := range map[string]int{"and others follow": 3, "and nothing follows": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testLostMessage(t, following)
		})
	}
}

func testLostMessage(t *testing.T, following int) {
	t.Helper()
	const before = 5
	rounds := testkit.Scale(1, 5)
	run, f, crew := testkit.Begin("D6"), startFleet(t), newCrew(t)
	publisher, ways := f.connect(t, 1), newRoamer(f.nodes[0].addr)
	s := newStreams(t, publisher, "log", 1, checker.Retention{})[0]
	reader := s.Reader(s.origin)
	sub, err := ways.connect(t, client.Options{}).Subscribe(crew.ctx, s.Channel(), client.SubscribeOptions{Since: s.origin})
	if err != nil {
		t.Fatal(err)
	}
	limit, offset, slowest := checkInterval+3*time.Second, uint64(0), time.Duration(0)
	if following > 0 {
		limit = 5 * time.Second
	}
	publish := func(n int) {
		if err := s.sayMany(crew.ctx, publisher, n, 1); err != nil {
			t.Fatal(err)
		}
		offset += uint64(n)
	}
	for range rounds {
		publish(before)
		if err := follow(crew.ctx, sub, reader, offset); err != nil {
			t.Fatal(err)
		}
		f.lines[0].loseOne()
		publish(1 + following)
		began := time.Now()
		if err := follow(crew.ctx, sub, reader, offset); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	run.Totals = conclude(t, []*stream{s})
	wantAll(t, run.Totals, int(offset))
	lost := int(f.lines[0].lost.Load())
	run.Counted = fmt.Sprintf("%d messages between Redis and a node lost, each repaired within %.1f s", lost, slowest.Seconds())
	if lost != rounds || slowest > limit {
		t.Errorf("%d messages were lost, want %d; repaired after %v, want %v", lost, rounds, slowest, limit)
	}
	if connections, _ := ways.visited(); connections != 1 {
		t.Errorf("the reader connected %d times", connections)
	}
	run.End(t)
}

// Redis cuts off the connections over which it feeds the nodes, again and again, while messages are published.
func TestFeedsAreCut(t *testing.T) {
	t.Parallel()
	run, f := testkit.Begin("D6"), startFleet(t)
	killed := 0
	underTraffic(t, run, f, func(int) {
		var n int
		if _, err := fmt.Sscan(f.redis.do("CLIENT", "KILL", "TYPE", "pubsub"), &n); err != nil {
			t.Fatal(err)
		}
		killed += n
	})
	run.Counted += fmt.Sprintf(", %d feeds cut", killed)
	if killed < nodeCount {
		t.Errorf("%d feeds were cut, want %d or more", killed, nodeCount)
	}
	run.End(t)
}
