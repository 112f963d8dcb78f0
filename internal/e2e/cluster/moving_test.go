package cluster

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// Clients come back ten times, to any node, while nothing is published: each resumes where it was, and is told what comes
// then once.
func TestReturnsWithoutTraffic(t *testing.T) {
	t.Parallel()
	const clients, returns = 6, 10
	run, f := testkit.Begin("D3"), startFleet(t)
	streams := newStreams(t, f.connect(t, 0), "log", 2, checker.Retention{})
	crew := newCrew(t)
	ways := newRoamer(f.addrs()...)
	opened := make(chan struct{}, clients*(returns+1))
	for i := range clients {
		c := ways.connect(t, client.Options{OnState: func(s client.State) {
			if s.Phase == client.PhaseOpen {
				opened <- struct{}{}
			}
		}})
		crew.do(func(ctx context.Context) error { return streams[i%2].read(ctx, c, 1+uint64(i%2)) })
	}
	if err := streams[1].say(crew.ctx, f.connect(t, 1)); err != nil { // the other log stays without any publication
		t.Fatal(err)
	}
	for range returns {
		for range clients {
			<-opened
		}
		ways.breakAll()
	}
	for _, s := range streams {
		if err := s.say(crew.ctx, f.connect(t, 2)); err != nil {
			t.Fatal(err)
		}
	}
	crew.wait()
	run.Totals = conclude(t, streams)
	connections, nodes := ways.visited()
	run.Counted = fmt.Sprintf("%d connections of %d clients to %d nodes", connections, clients, nodes)
	wantAll(t, run.Totals, clients/2*1+clients/2*2)
	if nodes != nodeCount {
		t.Errorf("clients came to %d nodes, want %d", nodes, nodeCount)
	}
	run.End(t)
}

// Each node in turn is stopped as an operator stops it, and started again, while messages are published and read: the
// clients go on at the other nodes, and nothing is lost.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	run, f := testkit.Begin("L3"), startFleet(t)
	underTraffic(t, run, f, func(int) {
		for _, n := range f.nodes {
			n.stop()
			n.start()
		}
	})
	run.End(t)
}

// Nodes are killed while messages are published: what was acknowledged is there once, and readers go on elsewhere.
func TestKilledNodes(t *testing.T) {
	t.Parallel()
	run, f := testkit.Begin("D9"), startFleet(t)
	underTraffic(t, run, f, func(round int) {
		n := f.nodes[round%nodeCount]
		n.kill()
		n.start()
	})
	run.End(t)
}

// Redis is killed while messages are published, and comes back with what it had synced: that is all that was acknowledged,
// and the clients never lose their connections to the nodes.
func TestKilledRedis(t *testing.T) {
	t.Parallel()
	run, f := testkit.Begin("D9"), startFleet(t)
	underTraffic(t, run, f, func(int) {
		f.redis.kill()
		f.redis.start()
	})
	run.End(t)
}

// underTraffic publishes to logs and reads them through clients that go to any node, and does harm in rounds, each once
// its part of the messages is committed. In the end everything was delivered, in order. It enters into run what it counted.
func underTraffic(t *testing.T, run *testkit.Run, f *fleet, harm func(round int)) {
	t.Helper()
	const channels, readers, atOnce = 4, 12, 8
	rounds, perChannel := testkit.Scale(3, 20), testkit.Scale(1500, 12_000)
	streams := newStreams(t, f.connect(t, 0), "log", channels, checker.Retention{})
	crew, ways := newCrew(t), newRoamer(f.addrs()...)
	for i := range readers {
		c := ways.connect(t, client.Options{})
		crew.do(func(ctx context.Context) error { return streams[i%channels].read(ctx, c, uint64(perChannel)) })
	}
	for _, s := range streams {
		c := ways.connect(t, client.Options{})
		crew.do(func(ctx context.Context) error { return s.sayMany(ctx, c, perChannel, atOnce) })
	}
	for round := range rounds {
		if err := streams[0].Wait(crew.ctx, (round+1)*perChannel/(rounds+1)); err != nil {
			t.Fatal(err)
		}
		harm(round)
	}
	crew.wait()
	run.Totals = conclude(t, streams)
	wantAll(t, run.Totals, readers*perChannel)
	connections, _ := ways.visited()
	run.Counted = fmt.Sprintf("%d rounds, %d connections of %d clients", rounds, connections, readers+channels)
}
