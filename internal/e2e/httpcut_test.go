package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// It is TestCuts over each transport of HTTP, for publishers and readers: every connection is cut at a random byte, so that
// answers end anywhere, and POSTs were taken or not.
func TestCutsOverHTTP(t *testing.T) {
	for seed, transport := range []client.Transport{client.TransportStream, client.TransportEvents, client.TransportPoll} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			cutsOver(t, transport, uint64(seed))
		})
	}
}

func cutsOver(t *testing.T, transport client.Transport, seed uint64) {
	const channels, clients, atOnce = 4, 12, 8
	perChannel := testkit.Scale(500, 8_000)
	run := testkit.Begin("D1, T1 by " + string(transport))
	server := startProgram(t, keeping(10*perChannel))
	network := startCutter(t, server.addr, seed, 500, 40_000, testkit.Scale(2, 10))
	ledgers, origins := makeLedgers(t, server.url(), "log", channels, checker.Retention{})
	crew := newCrew(t)
	opts := client.Options{Transport: transport}
	for i := range clients {
		c, at := connect(t, network.url(), opts), i%channels
		crew.do(func(ctx context.Context) error {
			return follow(ctx, c, ledgers[at], origins[at], uint64(perChannel))
		})
	}
	for _, l := range ledgers {
		publisher := connect(t, network.url(), opts)
		crew.do(func(ctx context.Context) error { return publish(ctx, publisher, l, perChannel, atOnce) })
	}
	crew.wait()
	run.Totals = verdict(t, ledgers...)
	run.Counted = fmt.Sprintf("%d clients, %d cuts, %d of them silent", clients, network.cuts.Load(), network.silences.Load())
	wantAll(t, run.Totals, channels*perChannel, clients*perChannel)
	if network.cuts.Load() < 50 {
		t.Error("the network was too good for this test to mean much")
	}
	run.End(t)
}
