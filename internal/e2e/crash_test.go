package e2e

import (
	"context"
	"testing"

	"github.com/earshot/earshot/client"
)

// The server is killed in the middle of it all and started again at the same address with the same data, three times:
// every publish ends committed exactly once, and every reader goes on where it was.
func TestKilledServer(t *testing.T) {
	const (
		channels   = 4
		perChannel = 3000
		clients    = 8
		atOnce     = 16
		kills      = 3
	)
	server := startProgram(t, "")
	ledgers, origins := makeChannels(t, server, channels)
	crew := newCrew(t)
	var readers []*reader
	for i := range clients {
		c := connect(t, server.url(), client.Options{})
		r := &reader{ledger: ledgers[i%channels]}
		readers = append(readers, r)
		crew.do(func(ctx context.Context) error { return r.read(ctx, c, origins[i%channels], perChannel) })
	}
	for _, l := range ledgers {
		c := connect(t, server.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			if err := publish(ctx, c, l, perChannel, atOnce); err != nil {
				return err
			}
			return l.complete(perChannel)
		})
	}
	for kill := range kills {
		if err := ledgers[0].waitFor(crew.ctx, (kill+1)*perChannel/(kills+1)); err != nil {
			t.Fatal(err)
		}
		server.kill()
		server.start()
	}
	crew.wait()
	sum := tally(t, ledgers, readers)
	t.Logf("%d messages, %d deliveries to %d clients, %d kills, %d publishes answered on a later try, %d resets",
		channels*perChannel, sum.deliveries, clients, kills, sum.repeats, sum.resets)
	if want := clients * perChannel; sum.deliveries != want || sum.resets != 0 {
		t.Errorf("%d deliveries and %d resets, want %d and none", sum.deliveries, sum.resets, want)
	}
}
