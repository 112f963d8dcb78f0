package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
)

// crew runs the parts of a test side by side. The first error ends all of them.
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

// text makes a message about as long as one line of a chat.
const text = "the quick brown fox jumps over the lazy dog, then rests"

// stream is a log with its ledger, and where it starts.
type stream struct {
	*checker.Ledger
	origin string // the position before its first publication
}

// newStreams makes logs that nobody has published to.
func newStreams(t *testing.T, c *client.Client, namespace string, n int, keeps checker.Retention) (streams []*stream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range n {
		name := fmt.Sprintf("%s:%d", namespace, i)
		sub, err := c.Subscribe(ctx, name, client.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, &stream{checker.New(name, keeps), sub.Position()})
		sub.Close()
	}
	return streams
}

// say publishes one message, which must be committed.
func (s *stream) say(ctx context.Context, c *client.Client) error {
	number := s.Begin(len(text))
	p, err := c.PublishJSON(ctx, s.Channel(), checker.Message{Number: number, Text: text})
	if err != nil {
		return fmt.Errorf("number %d: %w", number, err)
	}
	return s.Answer(number, p)
}

// sayMany publishes n messages, with several under way at once.
func (s *stream) sayMany(ctx context.Context, c *client.Client, n, atOnce int) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var left atomic.Int64
	left.Store(int64(n))
	var publishing sync.WaitGroup
	for range atOnce {
		publishing.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				if err := s.say(ctx, c); err != nil {
					stop(err)
				}
			}
		})
	}
	publishing.Wait()
	return context.Cause(ctx)
}

// read follows the log from its start up to an offset.
func (s *stream) read(ctx context.Context, c *client.Client, until uint64) error {
	r := s.Reader(s.origin)
	sub, err := c.Subscribe(ctx, s.Channel(), client.SubscribeOptions{Since: s.origin})
	if err != nil {
		return err
	}
	defer sub.Close()
	return follow(ctx, sub, r, until)
}

// follow notes what a subscription sees, up to an offset.
func follow(ctx context.Context, sub *client.Subscription, r *checker.Reader, until uint64) error {
	for r.Offset() < until {
		ev, err := sub.Next(ctx)
		if err == nil {
			err = r.Note(ev)
		}
		if err != nil {
			return fmt.Errorf("after offset %d: %w", r.Offset(), err)
		}
	}
	return nil
}

// conclude has the ledgers judge, and returns what they counted together.
func conclude(t *testing.T, streams []*stream) (sum checker.Totals) {
	t.Helper()
	for _, s := range streams {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		sum.Add(s.Totals())
	}
	return sum
}

// wantAll checks that readers were told so many publications, and never of a reset.
func wantAll(t *testing.T, sum checker.Totals, deliveries int) {
	t.Helper()
	if sum.Deliveries != deliveries || sum.AllResets() != 0 {
		t.Errorf("%d deliveries and %d resets, want %d and none", sum.Deliveries, sum.AllResets(), deliveries)
	}
}
