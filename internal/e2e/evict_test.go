package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// evicting keeps so little that a reader whose connection breaks has often missed what was dropped.
const evicting = `
allow_anonymous: true
namespaces:
  log:
    kind: log
    history: {size: 40}
    subscribe: anyone
    publish: anyone
    read_history: anyone
`

// A log that forgets faster than its readers come back: every gap is announced by a reset, and the offsets on its two
// sides prove that it is one; what was seen beside the gaps is what was committed, in order.
func TestCutsWithEviction(t *testing.T) {
	const (
		channels   = 4
		perChannel = 5000
		clients    = 12
		perClient  = 2
		atOnce     = 16
		seed       = 2
	)
	server := startProgram(t, evicting)
	network := startCutter(t, server.addr, seed, 200, 60_000, 3)
	ledgers, origins := makeChannels(t, server, channels)
	crew := newCrew(t)
	var readers []*reader
	for i := range clients {
		c := connect(t, network.url(), client.Options{QueueEvents: 64, BackoffMax: 200 * time.Millisecond})
		for j := range perClient {
			at := (i + j) % channels
			r := &reader{ledger: ledgers[at]}
			readers = append(readers, r)
			crew.do(func(ctx context.Context) error { return r.read(ctx, c, origins[at], perChannel) })
		}
	}
	for _, l := range ledgers {
		c := connect(t, network.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			if err := publish(ctx, c, l, perChannel, atOnce); err != nil {
				return err
			}
			return l.complete(perChannel)
		})
	}
	crew.wait()
	sum := tally(t, ledgers, readers)
	t.Logf("%d messages, %d deliveries to %d clients, %d cuts, %d resets over %d evicted publications",
		channels*perChannel, sum.deliveries, clients, network.cuts.Load(), sum.resets, sum.skipped)
	if want := clients * perClient * perChannel; sum.deliveries+sum.skipped != want {
		t.Errorf("%d deliveries and %d announced as gone, want %d together", sum.deliveries, sum.skipped, want)
	}
	if sum.resets == 0 || sum.deliveries == 0 {
		t.Errorf("%d resets and %d deliveries: nothing was evicted, or everything", sum.resets, sum.deliveries)
	}
}
