package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// The server is told to stop and started anew, with many clients connected and publishing going on: it says that it is not
// ready before anyone is sent away, the clients come back one by one rather than all at once, and nothing is lost.
func TestRollingRestart(t *testing.T) {
	const (
		notice  = 500 * time.Millisecond
		every   = 20 * time.Millisecond // between two publishes
		crowded = 0.6                   // of the clients, in a tenth of the time in which they all come back, is too many
	)
	clients, restarts := testkit.Scale(300, 3000), testkit.Scale(2, 3)
	messages := testkit.Scale(200, 600)
	run := testkit.Begin("L3")
	server := startProgram(t, fmt.Sprintf("close_notice: %v\n", notice)+keeping(100_000))
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	crowd := gather(t, crew, server.url(), clients)
	for _, c := range crowd.clients {
		crew.do(func(ctx context.Context) error { return follow(ctx, c, l, origin, uint64(messages)) })
	}
	publisher := connect(t, server.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return publishPaced(ctx, publisher, l, line, messages, every) })
	var spreads []time.Duration
	for n := range restarts {
		if err := l.Wait(crew.ctx, (n+1)*messages/(restarts+1)); err != nil {
			t.Fatal(err)
		}
		told := time.Now()
		server.terminate()
		testkit.Eventually(t, "it is not ready", func() bool {
			status, _ := ready(t, server)
			return status == http.StatusServiceUnavailable
		})
		if first := crowd.firstLoss(t, crew.ctx, told); first.Sub(told) < notice-50*time.Millisecond {
			t.Errorf("a client was sent away after %v, before the notice of %v was over", first.Sub(told), notice)
		}
		if err := server.wait(); err != nil {
			t.Errorf("the server ended with %v: %s", err, server.errs)
		}
		server.start()
		back := crowd.returns(t, crew.ctx, n+2)
		spreads = append(spreads, back[len(back)-1].Sub(back[0]))
		if share := busiestTenth(back); share > crowded {
			t.Errorf("%.0f %% of the clients came back in a tenth of %v", 100*share, spreads[n])
		}
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d clients, %d restarts; they came back over %v", clients, restarts, rounded(spreads))
	wantAll(t, run.Totals, messages, clients*messages)
	if run.Totals.AllResets() != 0 {
		t.Errorf("%d resets", run.Totals.AllResets())
	}
	run.End(t)
}

// publishPaced publishes n messages with a text, one after the other with a pause.
func publishPaced(ctx context.Context, c *client.Client, l *checker.Ledger, text string, n int, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range n {
		if err := publishText(ctx, c, l, text); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func rounded(all []time.Duration) (short []time.Duration) {
	for _, d := range all {
		short = append(short, d.Round(10*time.Millisecond))
	}
	return short
}
