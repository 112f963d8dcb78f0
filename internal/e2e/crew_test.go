package e2e

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// patience ends a test that hangs.
var patience = testkit.Scale(3*time.Minute, 10*time.Minute)

// crew runs the clients of a test side by side. The first error ends all of them.
type crew struct {
	t       *testing.T
	ctx     context.Context
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

func newCrew(t *testing.T) *crew {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c := &crew{t: t}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	t.Cleanup(func() {
		c.stop(nil)
		cancel()
		c.running.Wait()
	})
	return c
}

func (c *crew) do(work func(ctx context.Context) error) {
	c.running.Go(func() {
		if err := work(c.ctx); err != nil {
			c.stop(err)
		}
	})
}

// wait waits for all of them and fails the test with the first error.
func (c *crew) wait() {
	c.t.Helper()
	c.running.Wait()
	if err := context.Cause(c.ctx); err != nil {
		c.t.Fatal(err)
	}
}

// connect starts a client that comes back quickly and notices a silent network soon.
func connect(t *testing.T, url string, opts client.Options) *client.Client {
	t.Helper()
	opts.Heartbeat, opts.Grace = 5*time.Second, time.Second
	opts.BackoffBase = 5 * time.Millisecond
	if opts.BackoffMax == 0 {
		opts.BackoffMax = 100 * time.Millisecond
	}
	opts.ConnectTimeout = 3 * time.Second
	c, err := client.Connect(context.Background(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.Close(ctx) // through a broken network nobody answers a goodbye
	})
	return c
}

// lagging counts how often the subscriptions of a client fell behind. It is the client's log.
type lagging struct {
	slog.Handler
	times atomic.Int64
}

func newLagging() *lagging { return &lagging{Handler: slog.DiscardHandler} }

func (*lagging) Enabled(context.Context, slog.Level) bool { return true }

func (l *lagging) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "subscription fell behind" {
		l.times.Add(1)
	}
	return nil
}

// publishAll lets one client for each ledger publish n messages, many at once, through url.
func (c *crew) publishAll(url string, ledgers []*checker.Ledger, n, atOnce int) {
	for _, l := range ledgers {
		publisher := connect(c.t, url, client.Options{})
		c.do(func(ctx context.Context) error { return publish(ctx, publisher, l, n, atOnce) })
	}
}
