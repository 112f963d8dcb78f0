package session

import (
	"slices"
	"sync"
	"time"

	"github.com/earshot/earshot/wire"
)

// heartbeats sends Ping frames to the clients that asked for them: a wheel with one place for each second, so that no
// client costs a timer.
type heartbeats struct {
	mu    sync.Mutex
	now   int // seconds since the node started
	wheel [int(wire.MaxHeartbeat/time.Second) + 1][]beat
}

type beat struct {
	link  *Link
	every int // seconds
}

// add sends l a Ping every interval.
func (h *heartbeats) add(l *Link, interval time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.putLocked(beat{l, int(interval / time.Second)})
}

func (h *heartbeats) putLocked(b beat) {
	place := &h.wheel[(h.now+b.every)%len(h.wheel)]
	*place = append(*place, b)
}

// tick sends what is due this second.
func (h *heartbeats) tick() {
	for _, b := range h.due() {
		if b.link.beat() {
			h.mu.Lock()
			h.putLocked(b)
			h.mu.Unlock()
		}
	}
}

func (h *heartbeats) due() []beat {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now++
	place := &h.wheel[h.now%len(h.wheel)]
	due := *place
	*place = nil
	return due
}

// greeting closes connections that do not say hello in time. All have the same time, so they stand in the order of their
// deadlines.
type greeting struct {
	mu      sync.Mutex
	waiting []guest
}

type guest struct {
	link     *Link
	deadline time.Time
}

func (g *greeting) expect(l *Link, deadline time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, guest{l, deadline})
}

func (g *greeting) sweep(now time.Time) {
	for _, late := range g.late(now) {
		if !late.link.Open() {
			late.link.end(wire.Bye{Code: wire.CloseHelloTimeout})
		}
	}
}

func (g *greeting) late(now time.Time) []guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < len(g.waiting) && !g.waiting[n].deadline.After(now) {
		n++
	}
	late := g.waiting[:n:n]
	if n > 0 {
		g.waiting = slices.Clone(g.waiting[n:])
	}
	return late
}
