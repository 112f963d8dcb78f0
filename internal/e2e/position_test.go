package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// A reader that names a position of another epoch, of the future, with a wrong tag, of another channel, or none at all, is
// told so before anything else, and then gets all that follows.
func TestPositionsOfNowhere(t *testing.T) {
	const before, after = 20, 20
	run := testkit.Begin("D4")
	server := startProgram(t, keeping(1000))
	ledgers, origins := makeLedgers(t, server.url(), "log", 2, checker.Retention{})
	l := ledgers[0]
	crew := newCrew(t)
	publisher := connect(t, server.url(), client.Options{})
	for _, l := range ledgers {
		if err := publish(crew.ctx, publisher, l, before, 4); err != nil {
			t.Fatal(err)
		}
	}
	told := newBarrier(len(nowhere) + 1)
	for name, p := range nowhere {
		since := p.since(position(t, origins[0]), position(t, origins[1]))
		c := connect(t, server.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			if err := readFromNowhere(ctx, c, l, since, p.why, told, before+after); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	told.wait(crew.ctx)
	if err := publish(crew.ctx, publisher, l, after, 4); err != nil {
		t.Fatal(err)
	}
	crew.wait()
	run.Totals = verdict(t, ledgers...)
	run.Counted = fmt.Sprintf("%d kinds of positions", len(nowhere))
	if got := run.Totals; got.AllResets() != len(nowhere) || got.Deliveries != len(nowhere)*after {
		t.Errorf("%d resets and %d deliveries, want one of each reader, and %d", got.AllResets(), got.Deliveries, len(nowhere)*after)
	}
	run.End(t)
}

// nowhere are positions that are none of a channel, made from one of it and one of another.
var nowhere = map[string]struct {
	since func(here, there engine.Position) string
	why   wire.ResetReason
}{
	"another epoch": {func(here, _ engine.Position) string {
		return engine.Position{Epoch: here.Epoch + 1, Offset: 3, Tag: 9}.String()
	}, wire.ResetEpoch},
	"another channel": {func(_, there engine.Position) string { return there.String() }, wire.ResetEpoch},
	"the future": {func(here, _ engine.Position) string {
		return engine.Position{Epoch: here.Epoch, Offset: 1 << 40, Tag: 9}.String()
	}, wire.ResetUnknown},
	"a wrong tag": {func(here, _ engine.Position) string {
		return engine.Position{Epoch: here.Epoch, Offset: 3, Tag: 9}.String()
	}, wire.ResetUnknown},
	"garbage":       {func(_, _ engine.Position) string { return "garbage" }, wire.ResetUnknown},
	"binary digits": {func(_, _ engine.Position) string { return "AAAAAAAAAAAAAAAAAAAA" }, wire.ResetUnknown},
}

// readFromNowhere subscribes from a position that cannot be continued, and reads on up to an offset.
func readFromNowhere(ctx context.Context, c *client.Client, l *checker.Ledger, since string, why wire.ResetReason,
	told *barrier, end uint64,
) error {
	r := l.Stranger()
	sub, err := c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{Since: since})
	if err != nil {
		return err
	}
	defer sub.Close()
	ev, err := sub.Next(ctx)
	if err == nil {
		err = r.Note(ev)
	}
	if reset, ok := ev.(client.Reset); err == nil && (!ok || reset.Why != why) {
		err = fmt.Errorf("%+v comes first, want a reset: %s", ev, why)
	}
	told.wait(ctx)
	return errors.Join(err, read(ctx, sub, r, end))
}

func position(t *testing.T, text string) engine.Position {
	t.Helper()
	p, err := engine.ParsePosition(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
