package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/engine"
)

// reader is what one client saw of one channel.
type reader struct {
	ledger  *ledger
	seen    []sighting
	resets  int
	skipped int    // publications that resets went over
	last    uint64 // offset after what was seen
}

// read follows the ledger's channel from a position at offset 0 up to offset n.
func (r *reader) read(ctx context.Context, c *client.Client, since string, n uint64) error {
	sub, err := c.Subscribe(ctx, r.ledger.channel, client.SubscribeOptions{Since: since})
	if err != nil {
		return err
	}
	defer sub.Close()
	for r.last < n {
		ev, err := sub.Next(ctx)
		if err != nil {
			return fmt.Errorf("%s after offset %d: %w", r.ledger.channel, r.last, err)
		}
		if err := r.note(ev); err != nil {
			return fmt.Errorf("%s: %w", r.ledger.channel, err)
		}
	}
	return nil
}

// note checks that ev follows what was seen: the next offset, or a reset that says at which offset the stream goes on.
func (r *reader) note(ev client.Event) error {
	at, err := engine.ParsePosition(ev.After())
	if err != nil {
		return fmt.Errorf("position %q after offset %d: %w", ev.After(), r.last, err)
	}
	switch ev := ev.(type) {
	case client.Publication:
		if ev.Offset != r.last+1 || at.Offset != ev.Offset {
			return fmt.Errorf("offset %d (position %d) after %d", ev.Offset, at.Offset, r.last)
		}
		s, err := sight(ev)
		if err != nil {
			return err
		}
		r.seen = append(r.seen, s)
	case client.Reset:
		if at.Offset <= r.last {
			return fmt.Errorf("reset (%s) to offset %d after %d", ev.Why, at.Offset, r.last)
		}
		r.resets++
		r.skipped += int(at.Offset - r.last)
	default:
		return fmt.Errorf("event %T after offset %d", ev, r.last)
	}
	r.last = at.Offset
	return nil
}

// sums is what several readers and the publishers saw together.
type sums struct{ deliveries, resets, skipped, repeats int }

// tally compares what the readers saw with what was committed, and adds it up.
func tally(t *testing.T, ledgers []*ledger, readers []*reader) (sum sums) {
	t.Helper()
	for _, r := range readers {
		if err := r.ledger.check(r.seen); err != nil {
			t.Error(err)
		}
		sum.deliveries += len(r.seen)
		sum.resets += r.resets
		sum.skipped += r.skipped
	}
	for _, l := range ledgers {
		sum.repeats += l.repeated()
	}
	return sum
}
