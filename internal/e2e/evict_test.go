package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// A log that forgets faster than its readers come back, by count, by bytes, and by age: every gap is announced by a
// reset, there is none where nothing was gone, and what was seen beside the gaps is what was committed, in order.
func TestCutsWithEviction(t *testing.T) {
	for name, c := range map[string]struct {
		history string
		keeps   checker.Retention
	}{
		"count": {"{size: 40}", checker.Retention{Size: 40}},
		"bytes": {"{bytes: 64KB}", checker.Retention{Bytes: 64_000}},
		"age":   {"{age: 1s}", checker.Retention{Age: time.Second}},
	} {
		t.Run(name, func(t *testing.T) { cutWithEviction(t, c.history, c.keeps) })
	}
}

func cutWithEviction(t *testing.T, history string, keeps checker.Retention) {
	const (
		channels  = 4
		clients   = 12
		perClient = 2
		atOnce    = 16
		seed      = 2
	)
	perChannel := testkit.Scale(2000, 20_000)
	run := testkit.Begin("D4")
	server := startProgram(t, fmt.Sprintf(openLog, history))
	network := startCutter(t, server.addr, seed, 200, 60_000, 3)
	ledgers, origins := makeLedgers(t, server.url(), "log", channels, keeps)
	crew := newCrew(t)
	for i := range clients {
		// Age evicts only those who stay away for longer.
		c := connect(t, network.url(), client.Options{QueueEvents: 64, BackoffMax: 200*time.Millisecond + 2*keeps.Age})
		for j := range perClient {
			at := (i + j) % channels
			crew.do(func(ctx context.Context) error {
				return follow(ctx, c, ledgers[at], origins[at], uint64(perChannel))
			})
		}
	}
	crew.publishAll(network.url(), ledgers, perChannel, atOnce)
	crew.wait()
	run.Totals = verdict(t, ledgers...)
	run.Counted = fmt.Sprintf("%d clients, %d cuts, %d evicted", clients, network.cuts.Load(), run.Totals.Skipped)
	wantAll(t, run.Totals, channels*perChannel, clients*perClient*perChannel)
	if run.Totals.AllResets() == 0 || run.Totals.Deliveries == 0 {
		t.Errorf("%d resets and %d deliveries: nothing was evicted, or everything", run.Totals.AllResets(), run.Totals.Deliveries)
	}
	run.End(t)
}
