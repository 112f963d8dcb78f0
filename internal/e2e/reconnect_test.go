package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// Connections break again and again without any traffic, before the first message and after some: each session is resumed,
// nothing is told twice, and nothing that was published while the connection was down is missing.
func TestReconnectsWithoutTraffic(t *testing.T) {
	const messages = 5
	var (
		clients    = testkit.Scale(20, 100)
		reconnects = testkit.Scale(10, 100)
	)
	run := testkit.Begin("D3")
	server := startProgram(t, keeping(1000))
	network := startCutter(t, server.addr, 1, 1<<40, 1<<41, 0)
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	quiet, heard := newBarrier(clients+1), newBarrier(clients+1)
	for range clients {
		seen := newStates()
		c := connect(t, network.url(), client.Options{OnState: seen.add})
		crew.do(func(ctx context.Context) error {
			return readBetweenBreaks(ctx, c, l, origin, seen, reconnects, messages, quiet, heard)
		})
	}
	publisher := connect(t, server.url(), client.Options{})
	breakAll := func() {
		for range reconnects {
			quiet.wait(crew.ctx) // all are connected
			network.setDown(true)
			network.setDown(false)
		}
		quiet.wait(crew.ctx)
	}
	for range 2 {
		breakAll()
		if err := publish(crew.ctx, publisher, l, messages, 1); err != nil {
			t.Fatal(err)
		}
		heard.wait(crew.ctx)
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d clients, %d breaks of each without traffic", clients, 2*reconnects)
	wantAll(t, run.Totals, 2*messages, clients*2*messages)
	run.End(t)
}

// readBetweenBreaks is what one client does: it sees its connection break so many times, then some messages; twice.
func readBetweenBreaks(ctx context.Context, c *client.Client, l *checker.Ledger, since string, seen *states,
	breaks int, messages uint64, quiet, heard *barrier,
) error {
	r := l.Reader(since)
	sub, err := c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{Since: since})
	if err != nil {
		return err
	}
	defer sub.Close()
	session, opened := c.Session(), 0
	for round := range uint64(2) {
		for n := range breaks + 1 {
			// A connection that broke twice before the client noticed counts once.
			opened++
			state, _, err := seen.wait(ctx, client.PhaseOpen, opened)
			if err != nil {
				return err
			}
			if opened > 1 && n > 0 && (!state.Resumed || state.Session != session) {
				return fmt.Errorf("after break %d: session %q (resumed: %v), want %q", n, state.Session, state.Resumed, session)
			}
			quiet.wait(ctx)
		}
		opened-- // the last connection of a round is the first of the next
		if err := read(ctx, sub, r, (round+1)*messages); err != nil {
			return err
		}
		heard.wait(ctx)
	}
	return nil
}
