package local

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

var logRules = engine.Rules{Kind: engine.KindLog}

// byName gives channels that begin with "live" no history, those that begin with "loose" no sync, and the others all.
func byName(channel string) engine.Rules {
	switch {
	case len(channel) >= 4 && channel[:4] == "live":
		return engine.Rules{}
	case len(channel) >= 5 && channel[:5] == "loose":
		return engine.Rules{Kind: engine.KindLog, Durability: engine.DurabilityMayLoseTail}
	}
	return logRules
}

// rig is an engine that runs in a test.
type rig struct {
	t *testing.T
	*Engine
	running sync.WaitGroup
	ran     error
}

// openRig runs an engine on a folder of fs. Its answers, not its end, are what tests check, so the caller stops it.
func openRig(t *testing.T, o Options) (*rig, error) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = "data"
	}
	if o.Rules == nil {
		o.Rules = byName
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	e, err := Open(o)
	if err != nil {
		return nil, err
	}
	r := &rig{t: t, Engine: e}
	r.running.Go(func() { r.ran = e.Run(context.Background(), nil) })
	return r, nil
}

func mustOpen(t *testing.T, fs vfs.FS) *rig {
	t.Helper()
	r, err := openRig(t, Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stop closes the engine; a minute is for ever.
func (r *rig) stop() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		r.t.Errorf("close: %v", err)
		return
	}
	r.running.Wait()
}

// keyed is a message with an idempotency id of its own.
func keyed(channel, text string) engine.Proposal {
	return engine.Proposal{
		Channel: channel, User: "ann", Idem: text, Message: wire.Message{Data: wire.JSONData(fmt.Appendf(nil, "%q", text))},
	}
}

// say publishes text under an idempotency id of its own and waits for the answer.
func (r *rig) say(channel, text string) (engine.Receipt, error) {
	type result struct {
		receipt engine.Receipt
		err     error
	}
	answer := make(chan result, 1)
	r.Publish(context.Background(), keyed(channel, text), func(rc engine.Receipt, err error) { answer <- result{rc, err} })
	got := <-answer
	return got.receipt, got.err
}

func (r *rig) mustSay(channel, text string) engine.Position {
	r.t.Helper()
	rc, err := r.say(channel, text)
	if err != nil {
		r.t.Fatalf("publish %q: %v", text, err)
	}
	return rc.Position
}

func (r *rig) page(channel string, q engine.Query) engine.Page {
	r.t.Helper()
	page, err := r.History(context.Background(), channel, q)
	if err != nil {
		r.t.Fatalf("history of %q: %v", channel, err)
	}
	return page
}

// all reads the whole log and checks that it hangs together.
func (r *rig) all(channel string) []*engine.Publication {
	r.t.Helper()
	page := r.page(channel, engine.Query{Limit: 1 << 20})
	for i, p := range page.Publications {
		if i > 0 && (p.PrevTag != page.Publications[i-1].Tag || p.Offset != page.Publications[i-1].Offset+1) {
			r.t.Fatalf("%q: %+v does not follow %+v", channel, p.Position, page.Publications[i-1].Position)
		}
	}
	return page.Publications
}

// wantAcknowledged checks that every position that was answered is in the log, and that a retry finds it.
func (r *rig) wantAcknowledged(channel string, acked map[string]engine.Position) {
	r.t.Helper()
	at := map[engine.Position]string{}
	for _, p := range r.all(channel) {
		at[p.Position] = string(p.Data.Body)
	}
	var retries sync.WaitGroup
	for text, p := range acked {
		if got, want := at[p], fmt.Sprintf("%q", text); got != want {
			r.t.Fatalf("%q: acknowledged %s at %+v, where the log has %q", channel, want, p, got)
		}
		retries.Add(1)
		r.Publish(context.Background(), keyed(channel, text), func(rc engine.Receipt, err error) {
			defer retries.Done()
			if err != nil || !rc.Duplicate || rc.Position != p {
				r.t.Errorf("%q: retry of %q is answered %+v, %v; want %+v", channel, text, rc, err, p)
			}
		})
	}
	retries.Wait()
}
