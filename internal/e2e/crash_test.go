package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// The server is killed in the middle of it all and started again at the same address with the same data, again and again:
// every publish ends committed exactly once, and every reader goes on where it was.
func TestKilledServer(t *testing.T) {
	const (
		channels = 4
		clients  = 8
		atOnce   = 16
	)
	kills := testkit.Scale(3, 20)
	perChannel := 1000 * kills
	run := testkit.Begin("D9")
	server := startProgram(t, keeping(2*perChannel))
	ledgers, origins := makeLedgers(t, server.url(), "log", channels, checker.Retention{})
	crew := newCrew(t)
	for i := range clients {
		c := connect(t, server.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			return follow(ctx, c, ledgers[i%channels], origins[i%channels], uint64(perChannel))
		})
	}
	crew.publishAll(server.url(), ledgers, perChannel, atOnce)
	for kill := range kills {
		if err := ledgers[0].Wait(crew.ctx, (kill+1)*perChannel/(kills+1)); err != nil {
			t.Fatal(err)
		}
		server.kill()
		server.start()
	}
	crew.wait()
	run.Totals = verdict(t, ledgers...)
	run.Counted = fmt.Sprintf("%d clients, %d kills", clients, kills)
	wantAll(t, run.Totals, channels*perChannel, clients*perChannel)
	if run.Totals.AllResets() != 0 {
		t.Errorf("%d resets", run.Totals.AllResets())
	}
	run.End(t)
}
