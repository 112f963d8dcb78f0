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

// Redis ends, or falls silent, for some seconds: publishes fail soon with a code that says to try again, connections stay and
// answer, and once Redis is back everything goes on by itself, without a gap.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(f *fleet) (back func()){
		"killed": func(f *fleet) func() {
			f.redis.kill()
			return f.redis.start
		},
		"silent": func(f *fleet) func() {
			f.setLines(lineSilent)
			return func() { f.setLines(lineOpen) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testRedisAway(t, away)
		})
	}
}

// failsWithin is how long a publish may take to fail: the time that one call of Redis has, and some for a busy machine.
const failsWithin = 5 * time.Second

func testRedisAway(t *testing.T, away func(f *fleet) (back func())) {
	t.Helper()
	const before, after, readers = 50, 50, 2 * nodeCount
	run, f, crew := testkit.Begin("Redis away"), startFleet(t), newCrew(t)
	doors := f.doors()
	publisher := doors[0].connect(t, client.Options{})
	s := newStreams(t, publisher, "log", 1, checker.Retention{})[0]
	for i := range readers {
		c := doors[i%nodeCount].connect(t, client.Options{})
		crew.do(func(ctx context.Context) error { return s.read(ctx, c, before+after) })
	}
	if err := s.sayMany(crew.ctx, publisher, before, 4); err != nil {
		t.Fatal(err)
	}
	var bare []*testkit.Client
	for _, n := range f.nodes {
		bare = append(bare, testkit.Connect(t, n.url()))
	}
	back := away(f)
	run.Counted = wantRefusals(t, bare, testkit.Scale(3*time.Second, 30*time.Second))
	back()
	returned := time.Now()
	if err := s.sayMany(crew.ctx, publisher, after, 4); err != nil {
		t.Fatal(err)
	}
	crew.wait()
	run.Counted += fmt.Sprintf("; all told within %.1f s of its return", time.Since(returned).Seconds())
	for _, c := range bare {
		c.Send(`{"id":3,"pub":{"ch":"log:other","data":1}}`)
		c.Want("published", `{"id":3}`)
	}
	run.Totals = conclude(t, []*stream{s})
	wantAll(t, run.Totals, readers*(before+after))
	if n := cameThrough(doors); n != readers+1 {
		t.Errorf("%d connections of %d clients", n, readers+1)
	}
	run.End(t)
}

// wantRefusals publishes to no avail for a while, and returns what it counted. Each publish must fail soon, with a code that
// says to try again, and each connection must answer.
func wantRefusals(t *testing.T, clients []*testkit.Client, during time.Duration) string {
	t.Helper()
	refusals, slowest := 0, time.Duration(0)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for began := time.Now(); time.Since(began) < during; <-pace.C {
		for _, c := range clients {
			asked := time.Now()
			c.Send(`{"id":1,"pub":{"ch":"log:other","data":1}}`)
			c.Want("error", fmt.Sprintf(`{"id":1,"code":%d}`, wire.CodeUnavailable))
			slowest = max(slowest, time.Since(asked))
			c.Send(`{"id":2,"ping":{}}`)
			c.Want("pong", `{"id":2}`)
			refusals++
		}
	}
	if slowest > failsWithin {
		t.Errorf("a publish failed after %v", slowest)
	}
	return fmt.Sprintf("away for %.0f s, %d publishes refused, the slowest after %.1f s", during.Seconds(), refusals, slowest.Seconds())
}
