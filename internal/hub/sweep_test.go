package hub

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/engine"
)

// feeds is an engine that knows which channels the node listens to.
type feeds struct {
	engine.Engine
	mu   sync.Mutex
	open map[string]bool
}

func (f *feeds) Subscribe(_ context.Context, channel string) (engine.Position, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[channel] = true
	return engine.Position{Epoch: epoch}, nil
}

func (f *feeds) Unsubscribe(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, channel)
}

func (f *feeds) has(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open[channel]
}

// inBubble runs f with a hub in fake time.
func inBubble(t *testing.T, rules engine.Rules, f func(t *testing.T, h *Hub, e *feeds)) {
	synctest.Test(t, func(t *testing.T) {
		e := &feeds{open: make(map[string]bool)}
		h := New(e, func(string) engine.Rules { return rules }, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = h.Run(ctx) })
		f(t, h, e)
		cancel()
		running.Wait()
	})
}

// pass lets d pass, and what is due then be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func join(t *testing.T, h *Hub, channel string) *Subscription {
	t.Helper()
	s, err := h.Join(t.Context(), channel, new(listening))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestVacantChannelIsDetached leaves a channel, comes back and leaves again: its feed ends only once it was vacant for long
// enough without a break, and it is forgotten.
func TestVacantChannelIsDetached(t *testing.T) {
	inBubble(t, engine.Rules{}, func(t *testing.T, h *Hub, e *feeds) {
		join(t, h, "x").Leave()
		pass(vacancy / 2)
		again := join(t, h, "x")
		pass(vacancy)
		again.Leave()
		pass(vacancy - 2*sweepEvery)
		if !e.has("x") {
			t.Error("detached too early")
		}
		pass(vacancy)
		if e.has("x") || h.find("x") != nil {
			t.Error("still attached")
		}
		stays := join(t, h, "x")
		pass(3 * vacancy)
		if !e.has("x") || h.find("x") != stays.channel {
			t.Error("detached though it has a listener")
		}
		stays.Leave()
	})
}

// TestFlappingIsListedOnce joins and leaves a channel again and again.
func TestFlappingIsListedOnce(t *testing.T) {
	inBubble(t, engine.Rules{}, func(t *testing.T, h *Hub, _ *feeds) {
		for range 1000 {
			join(t, h, "x").Leave()
		}
		if n := len(h.shard("x").vacated); n != 1 {
			t.Errorf("listed %d times", n)
		}
	})
}

// feed appends n entries, published now.
func feed(h *Hub, channel string, from, n uint64) {
	for o := from; o < from+n; o++ {
		p := entryAt(o, 8).Publication
		p.UnixMS = time.Now().UnixMilli()
		h.Committed(channel, []*engine.Publication{p})
	}
}

// TestQuietRingShrinks feeds a channel and lets it rest; then nothing of it is looked at any more, until it is fed again.
func TestQuietRingShrinks(t *testing.T) {
	inBubble(t, engine.Rules{}, func(t *testing.T, h *Hub, _ *feeds) {
		s := join(t, h, "x")
		defer s.Leave()
		for round := range uint64(2) {
			feed(h, "x", 1+100*round, 100)
			if held := len(*s.channel.ring.buf.Load()); held < 100 {
				t.Fatalf("room for %d", held)
			}
			pass(2*shrinkEvery + 2*sweepEvery)
			if held := len(*s.channel.ring.buf.Load()); held != minRingEntries {
				t.Errorf("room for %d after a rest", held)
			}
			if n := len(h.busy.channels); n != 0 {
				t.Errorf("%d channels are still tended", n)
			}
		}
	})
}

// TestOldEntriesLeaveTheRing feeds a channel whose log drops what is old.
func TestOldEntriesLeaveTheRing(t *testing.T) {
	const age = 10 * time.Second
	inBubble(t, engine.Rules{MaxAge: age}, func(t *testing.T, h *Hub, _ *feeds) {
		s := join(t, h, "x")
		defer s.Leave()
		feed(h, "x", 1, 3)
		pass(age - 2*sweepEvery)
		if s.channel.ring.oldest() == nil {
			t.Error("dropped too early")
		}
		pass(4 * sweepEvery)
		if s.channel.ring.oldest() != nil || len(h.aging.channels) != 0 {
			t.Errorf("an old entry is held, or %d channels are still tended", len(h.aging.channels))
		}
	})
}
