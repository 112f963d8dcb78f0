package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
)

// line makes a message about as long as one line of a chat; endText is the last message of a ledger.
const (
	line    = "the quick brown fox jumps over the lazy dog, then rests"
	endText = "end"
)

// messageBytes is what a message counts for in a log's retention, at most: its data, and the name that a client gives itself.
const messageBytes = len(`{"n":00000,"text":""}`) + len(line) + len("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

// makeLedgers returns the ledgers of n channels of a namespace, and the position before the first publication of each.
func makeLedgers(t *testing.T, url, namespace string, n int, keeps checker.Retention) (ledgers []*checker.Ledger, origins []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := connect(t, url, client.Options{})
	for i := range n {
		l := checker.New(fmt.Sprintf("%s:%d", namespace, i), keeps)
		sub, err := c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ledgers, origins = append(ledgers, l), append(origins, sub.Position())
	}
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return ledgers, origins
}

// makeLedger is makeLedgers for one channel.
func makeLedger(t *testing.T, url, namespace string, keeps checker.Retention) (*checker.Ledger, string) {
	t.Helper()
	ledgers, origins := makeLedgers(t, url, namespace, 1, keeps)
	return ledgers[0], origins[0]
}

// follow lets a reader of the ledger read from a position up to an offset, and enters what it sees.
func follow(ctx context.Context, c *client.Client, l *checker.Ledger, since string, end uint64) error {
	r := l.Reader(since)
	sub, err := c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{Since: since})
	if err != nil {
		return err
	}
	defer sub.Close()
	return read(ctx, sub, r, end)
}

// read enters what a subscription gets, up to an offset.
func read(ctx context.Context, sub *client.Subscription, r *checker.Reader, end uint64) error {
	for r.Offset() < end {
		ev, err := sub.Next(ctx)
		if err != nil {
			return fmt.Errorf("%s after offset %d: %w", sub.Channel(), r.Offset(), err)
		}
		if err := r.Note(ev); err != nil {
			return err
		}
	}
	return nil
}

// followToEnd lets a reader of the ledger read from a position up to the message that says that it is the last.
func followToEnd(ctx context.Context, c *client.Client, l *checker.Ledger, since string) error {
	return followEach(ctx, c, l, since, func(client.Publication) {})
}

// followEach is followToEnd with something to do for each publication.
func followEach(ctx context.Context, c *client.Client, l *checker.Ledger, since string, each func(client.Publication)) error {
	r := l.Reader(since)
	sub, err := c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{Since: since})
	if err != nil {
		return err
	}
	defer sub.Close()
	for ev, err := range sub.Events(ctx) {
		if err == nil {
			err = r.Note(ev)
		}
		if err != nil {
			return err
		}
		if p, ok := ev.(client.Publication); ok {
			each(p)
			if isLast(p) {
				break
			}
		}
	}
	return nil
}

// isLast reports whether p is the last message of its ledger.
func isLast(p client.Publication) bool {
	var m checker.Message
	return p.Decode(&m) == nil && m.Text == endText
}

// publish publishes n messages, with many under way at once, and enters the answers.
func publish(ctx context.Context, c *client.Client, l *checker.Ledger, n, atOnce int) error {
	var begun atomic.Int64
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var publishing sync.WaitGroup
	for range atOnce {
		publishing.Go(func() {
			for begun.Add(1) <= int64(n) && ctx.Err() == nil {
				if err := publishOne(ctx, c, l); err != nil {
					stop(err)
				}
			}
		})
	}
	publishing.Wait()
	return context.Cause(ctx)
}

func publishOne(ctx context.Context, c *client.Client, l *checker.Ledger) error {
	return publishText(ctx, c, l, line)
}

func publishText(ctx context.Context, c *client.Client, l *checker.Ledger, text string) error {
	number := l.Begin(messageBytes - len(line) + len(text))
	p, err := c.PublishJSON(ctx, l.Channel(), checker.Message{Number: number, Text: text})
	if err != nil {
		return err
	}
	return l.Answer(number, p)
}

// verdict checks the ledgers and returns what they counted together.
func verdict(t *testing.T, ledgers ...*checker.Ledger) (sum checker.Totals) {
	t.Helper()
	for _, l := range ledgers {
		if err := l.Check(); err != nil {
			t.Error(err)
		}
		sum.Add(l.Totals())
	}
	return sum
}

// wantAll checks that every message was answered, and reached each of its readers or was announced as gone.
func wantAll(t *testing.T, sum checker.Totals, messages, deliveries int) {
	t.Helper()
	if sum.Messages != messages || sum.Answered != messages || sum.Deliveries+sum.Skipped != deliveries {
		t.Errorf("%d messages, %d of them answered, %d deliveries and %d announced as gone; want %d messages, %d deliveries",
			sum.Messages, sum.Answered, sum.Deliveries, sum.Skipped, messages, deliveries)
	}
}
