package session

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// TestSubscribeInEveryOrder runs subscribe as its steps (join, locate, activate), publish as its steps (committed, fed),
// and reads of history, in every order there is, and checks that the client sees every publication after its start once
// and in order. It is row D2 of the faults.
func TestSubscribeInEveryOrder(t *testing.T) {
	starts := map[string]struct {
		req   wire.Subscribe
		first uint64 // offset of the oldest entry retained
		reset wire.ResetReason
	}{
		"now":            {req: wire.Subscribe{}, first: 1},
		"last":           {req: wire.Subscribe{Last: 2}, first: 1},
		"since":          {req: wire.Subscribe{Since: gatedPosition(1).String()}, first: 1},
		"since the top":  {req: wire.Subscribe{Since: gatedPosition(3).String()}, first: 1},
		"evicted":        {req: wire.Subscribe{Since: gatedPosition(1).String()}, first: 3, reset: wire.ResetEvicted},
		"evicted, last":  {req: wire.Subscribe{Since: gatedPosition(1).String(), Last: 2}, first: 3, reset: wire.ResetEvicted},
		"another's":      {req: wire.Subscribe{Since: engine.Position{Epoch: 9, Offset: 1, Tag: 1}.String()}, first: 1, reset: wire.ResetEpoch},
		"no position":    {req: wire.Subscribe{Since: "garbage"}, first: 1, reset: wire.ResetUnknown},
		"never been one": {req: wire.Subscribe{Since: engine.Position{Epoch: gatedEpoch, Offset: 2, Tag: 1}.String()}, first: 1, reset: wire.ResetUnknown},
	}
	orders := 0
	for name, start := range starts {
		for _, publish := range []string{"cfcf", "ccff"} {
			for order := range interleavings("sss", publish, "rr") {
				for _, eager := range []bool{false, true} {
					orders++
					synctest.Test(t, func(t *testing.T) {
						run := newOrderRun(t, start.req, start.first, eager)
						run.play(order)
						if problem := run.check(start.reset); problem != "" {
							t.Fatalf("%s, order %s, eager %v: %s\nframes: %v", name, order, eager, problem, run.frames)
						}
					})
				}
			}
		}
	}
	t.Logf("%d orders", orders)
}

// interleavings yields every way to merge the steps of a, b and c, each in its own order.
func interleavings(a, b, c string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var merge func(done string, rest [3]string) bool
		merge = func(done string, rest [3]string) bool {
			if rest == [3]string{} {
				return yield(done)
			}
			for i, r := range rest {
				if r == "" {
					continue
				}
				next := rest
				next[i] = r[1:]
				if !merge(done+r[:1], next) {
					return false
				}
			}
			return true
		}
		merge("", [3]string{a, b, c})
	}
}

// orderRun is one order of steps on a log of three entries to which two more are published.
type orderRun struct {
	engine *gatedEngine
	link   *Link
	steps  chan struct{} // a token for each step of subscribe
	eager  bool          // the client reads after every step, not only at the end

	transport noted
	encoder   frameTable
	frames    []wire.ServerFrame // what the client read
	done      func()
}

func newOrderRun(t *testing.T, req wire.Subscribe, first uint64, eager bool) *orderRun {
	r := &orderRun{engine: newGatedEngine(3), steps: make(chan struct{}, 3), eager: eager}
	r.engine.first = first
	rules := func(string) engine.Rules { return engine.Rules{Kind: engine.KindLog} }
	h := hub.New(r.engine, rules, slog.New(slog.DiscardHandler))
	r.engine.feed = h
	node := NewNode(Config{Hub: h, Engine: r.engine, Policy: openPolicy{}, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	hubEnded := make(chan struct{})
	go func() { h.Run(ctx); close(hubEnded) }()
	r.link = node.NewLink(&r.transport, &r.encoder, Handshake{})
	r.link.Connected()
	if err := r.link.greet(); err != nil {
		t.Fatal(err)
	}
	req.Channel = "log:x"
	subscribed := make(chan struct{})
	go func() {
		defer close(subscribed)
		s := &subscribing{link: r.link, id: 1, req: req}
		for _, step := range []func(context.Context) error{s.join, s.locate, s.activate} {
			<-r.steps
			if err := step(ctx); err != nil {
				t.Error(err)
			}
		}
	}()
	r.done = func() {
		<-subscribed
		r.link.Lost()
		cancel()
		<-hubEnded
	}
	return r
}

// play takes the steps in order, lets everything finish, and reads what there is.
func (r *orderRun) play(order string) {
	for _, step := range order {
		switch step {
		case 's':
			r.steps <- struct{}{}
		case 'c':
			r.engine.commit()
		case 'f':
			r.engine.tell()
		case 'r':
			r.engine.reads <- struct{}{}
		}
		synctest.Wait()
		if r.eager {
			r.read()
		}
	}
	for range 20 {
		r.engine.reads <- struct{}{}
		synctest.Wait()
		r.read()
	}
	r.done()
}

// read reads what there is, if the client was notified of any.
func (r *orderRun) read() {
	var read []byte
	for more := r.transport.notified.Swap(false); more; {
		read, more = r.link.Fill(read, 1)
	}
	r.frames = append(r.frames, r.encoder.decode(read)...)
	synctest.Wait()
}

// check returns what is wrong with the frames that the client saw, or nothing.
func (r *orderRun) check(reset wire.ResetReason) string {
	if len(r.frames) == 0 {
		return "no frames"
	}
	first, ok := r.frames[0].Body.(wire.Subscribed)
	if !ok {
		return "the first frame is not subscribed"
	}
	at, err := engine.ParsePosition(first.Position)
	if err != nil && reset == "" {
		return "subscribed at no position"
	}
	for _, f := range r.frames[1:] {
		switch body := f.Body.(type) {
		case wire.Reset:
			if body.Why != reset {
				return fmt.Sprintf("reset %q, want %q", body.Why, reset)
			}
			reset = ""
			at, _ = engine.ParsePosition(body.Position)
		case wire.Publication:
			if reset != "" {
				return "a publication before the reset"
			}
			if body.Offset != at.Offset+1 {
				return fmt.Sprintf("offset %d after %d", body.Offset, at.Offset)
			}
			at.Offset = body.Offset
		}
	}
	if reset != "" || at.Offset != r.engine.top() {
		return fmt.Sprintf("ended at %d of %d, reset due: %q", at.Offset, r.engine.top(), reset)
	}
	return ""
}

// openPolicy allows everything.
type openPolicy struct{}

func (openPolicy) Connect(context.Context, Handshake, wire.Hello) (Identity, error) {
	return Identity{}, nil
}
func (openPolicy) Subscribe(context.Context, *Session, string) error      { return nil }
func (openPolicy) History(context.Context, *Session, string) error        { return nil }
func (openPolicy) Publish(context.Context, *Session, *wire.Publish) error { return nil }
func (openPolicy) Set(context.Context, *Session, *wire.Set) error         { return nil }
func (openPolicy) Delete(context.Context, *Session, *wire.Delete) error   { return nil }
func (openPolicy) Presence(context.Context, *Session, string) error       { return nil }
func (openPolicy) CallSession(context.Context, *Session, wire.Call) error { return nil }
func (openPolicy) Call(_ context.Context, _ *Session, c wire.Call) (wire.Data, error) {
	return c.Data, nil
}

// noted is a transport that leaves it to the test when to fill, and notes that it was asked to.
type noted struct{ notified atomic.Bool }

func (n *noted) Notify()               { n.notified.Store(true) }
func (*noted) Close(wire.Code, string) {}

// frameTable encodes a frame as two bytes, its number among the frames so far.
type frameTable struct {
	mu     sync.Mutex
	frames []wire.ServerFrame
}

func (t *frameTable) Slot() int { return 0 }

func (t *frameTable) Publication(channel string, p *engine.Publication) []byte {
	return t.Frame(nil, wire.ServerFrame{Body: Publication(channel, p)})
}

func (t *frameTable) Frame(dst []byte, f wire.ServerFrame) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frames = append(t.frames, f)
	return binary.BigEndian.AppendUint16(dst, uint16(len(t.frames)-1))
}

func (t *frameTable) decode(read []byte) (frames []wire.ServerFrame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; len(read) > 0; read = read[2:] {
		frames = append(frames, t.frames[binary.BigEndian.Uint16(read)])
	}
	return frames
}
