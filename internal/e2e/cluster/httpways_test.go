package cluster

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// Over HTTP each connection goes to a random node and breaks at a random byte, so that a client's requests reach all nodes, and
// answers end anywhere; then a node is killed. Each client sees exactly what was committed, in order.
func TestRequestsAnywhere(t *testing.T) {
	t.Parallel()
	for _, transport := range []client.Transport{client.TransportStream, client.TransportPoll} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			requestsAnywhere(t, transport)
		})
	}
}

func requestsAnywhere(t *testing.T, transport client.Transport) {
	t.Helper()
	const channels, readers, atOnce = 3, 6, 8
	perChannel := testkit.Scale(200, 4_000)
	run, f := testkit.Begin("T1, T2, D9 by "+string(transport)), startFleet(t)
	streams := newStreams(t, f.connect(t, 0), "log", channels, checker.Retention{})
	crew, ways := newCrew(t), newRoamer(f.addrs()...)
	ways.minBytes, ways.maxBytes = 300, 10_000
	for i := range readers {
		c := ways.connect(t, client.Options{Transport: transport})
		crew.do(func(ctx context.Context) error { return streams[i%channels].read(ctx, c, uint64(perChannel)) })
	}
	for _, s := range streams {
		c := ways.connect(t, client.Options{Transport: transport})
		crew.do(func(ctx context.Context) error { return s.sayMany(ctx, c, perChannel, atOnce) })
	}
	if err := streams[0].Wait(crew.ctx, perChannel/2); err != nil {
		t.Fatal(err)
	}
	f.nodes[0].kill()
	f.nodes[0].start()
	crew.wait()
	run.Totals = conclude(t, streams)
	wantAll(t, run.Totals, readers*perChannel)
	connections, nodes := ways.visited()
	run.Counted = fmt.Sprintf("%d clients, %d connections to %d nodes, %d cuts, %d of them silent",
		readers+channels, connections, nodes, ways.cuts.Load(), ways.silences.Load())
	if ways.cuts.Load() < 20 || nodes != nodeCount {
		t.Error("the network was too good for this test to mean much")
	}
	run.End(t)
}
