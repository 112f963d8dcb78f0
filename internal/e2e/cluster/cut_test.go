package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// Numbered messages go to clients over connections that each break at a random byte, and with every break a client moves to
// a random node. Each sees exactly what was committed, in order, without a reset; each message is committed once.
func TestCuts(t *testing.T) {
	t.Parallel()
	t.Run("one Redis", func(t *testing.T) {
		t.Parallel()
		testCuts(t, startRedis(t, alwaysSynced...).url())
	})
	t.Run("three masters", func(t *testing.T) {
		t.Parallel()
		testCuts(t, startRedisCluster(t, alwaysSynced...))
	})
}

func testCuts(t *testing.T, engine string) {
	t.Helper()
	const (
		channels    = 10
		clients     = 24
		perClient   = 2 // channels that a client listens to
		atOnce      = 8
		slowClients = 6 // have so small a queue that they read on from the log
	)
	perChannel := testkit.Scale(800, 10_000)
	run := testkit.Begin("D1")
	var addrs []string
	for range nodeCount {
		addrs = append(addrs, startNode(t, engine).addr)
	}
	streams := newStreams(t, newRoamer(addrs...).connect(t, client.Options{}), "log", channels, checker.Retention{})
	crew, behind := newCrew(t), newLagging()
	ways := newRoamer(addrs...)
	ways.minBytes, ways.maxBytes = 200, 60_000
	for i := range clients {
		opts := client.Options{Logger: slog.New(behind)}
		if i < slowClients {
			opts.QueueEvents = 8
		}
		c := ways.connect(t, opts)
		for j := range perClient {
			crew.do(func(ctx context.Context) error {
				return streams[(i*perClient+j)%channels].read(ctx, c, uint64(perChannel))
			})
		}
	}
	for _, s := range streams {
		c := ways.connect(t, client.Options{})
		crew.do(func(ctx context.Context) error { return s.sayMany(ctx, c, perChannel, atOnce) })
	}
	crew.wait()
	run.Totals = conclude(t, streams)
	wantAll(t, run.Totals, clients*perClient*perChannel)
	_, nodes := ways.visited()
	run.Counted = fmt.Sprintf("%d clients at %d nodes, %d cuts, %d of them silent, fell behind %d times",
		clients, nodes, ways.cuts.Load(), ways.silences.Load(), behind.times.Load())
	if ways.cuts.Load() < 100 || run.Totals.Retried == 0 || behind.times.Load() == 0 || nodes != nodeCount {
		t.Error("the network and the clients were too good for this test to mean much")
	}
	run.End(t)
}

// lagging counts how often the subscriptions of clients fell behind. It is the clients' log.
type lagging struct {
	slog.Handler
	times atomic.Int64
}

func newLagging() *lagging { return &lagging{Handler: slog.DiscardHandler} }

// Enabled makes the client tell what it would not tell an operator.
func (*lagging) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts.
func (l *lagging) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "subscription fell behind" {
		l.times.Add(1)
	}
	return nil
}
