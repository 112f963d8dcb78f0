package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// 100,000 numbered messages go to 50 clients over a network that cuts every connection at a random byte. Retention
// exceeds the run, so each client must see exactly what was committed, in order, without a reset; and each number must
// be committed once, whatever happened to its publisher's connection.
func TestCuts(t *testing.T) {
	const (
		channels    = 20
		clients     = 50
		perClient   = 2 // channels that a client listens to
		atOnce      = 16
		seed        = 1
		slowClients = 10 // have so small a queue that they read on from the log
	)
	perChannel := testkit.Scale(5000, 20_000)
	run := testkit.Begin("D1")
	server := startProgram(t, keeping(10*perChannel))
	network := startCutter(t, server.addr, seed, 200, 200_000, testkit.Scale(10, 50))
	ledgers, origins := makeLedgers(t, server.url(), "log", channels, checker.Retention{})
	crew := newCrew(t)
	behind := newLagging()
	for i := range clients {
		opts := client.Options{Logger: slog.New(behind)}
		if i < slowClients {
			opts.QueueEvents = 8
		}
		c := connect(t, network.url(), opts)
		for j := range perClient {
			at := (i*perClient + j) % channels
			crew.do(func(ctx context.Context) error {
				return follow(ctx, c, ledgers[at], origins[at], uint64(perChannel))
			})
		}
	}
	crew.publishAll(network.url(), ledgers, perChannel, atOnce)
	crew.wait()
	run.Totals = verdict(t, ledgers...)
	run.Counted = fmt.Sprintf("%d clients, %d cuts, %d of them silent, %d times a client fell behind and caught up",
		clients, network.cuts.Load(), network.silences.Load(), behind.times.Load())
	wantAll(t, run.Totals, channels*perChannel, clients*perClient*perChannel)
	if network.cuts.Load() < 500 || run.Totals.Retried == 0 || behind.times.Load() == 0 {
		t.Error("the network and the clients were too good for this test to mean much")
	}
	run.End(t)
}

// keeping is a configuration with a log that keeps so many publications.
func keeping(size int) string {
	return fmt.Sprintf(openLog, fmt.Sprintf("{size: %d}", size))
}

// openLog is a configuration with a log for everyone; the verb is for how much it keeps.
const openLog = `
allow_anonymous: true
namespaces:
  log:
    kind: log
    history: %s
    subscribe: anyone
    publish: anyone
    read_history: anyone
`
