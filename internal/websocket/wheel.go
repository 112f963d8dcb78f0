package websocket

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// wheelSlots is after how many slots the wheel comes round. A connection that is due in a later round is visited in each
// before it, to no effect.
const wheelSlots = 64

const never = math.MaxInt64

// wheel visits each connection when something about it may be due. It stands in for several timers a connection. Time is
// counted in slots from 1, so that zero can mean "not since any time".
type wheel struct {
	// Set by newWheel, then read-only.
	slot                                                       time.Duration
	pingEvery, pongGrace, messageLimit, stallLimit, closeLimit int64

	now atomic.Int64
	due []*Conn // owned by run: those of the slot that is being visited

	mu     sync.Mutex
	slots  [wheelSlots]*Conn
	cursor int64 // the last slot that was emptied
	closed bool
}

// spot is a connection's place on the wheel. Guarded by wheel.mu.
type spot struct {
	prev, next *Conn
	due        int64 // when it is to be visited at the latest
	slot       uint8
	linked     bool // it is in slot; otherwise it is being visited, or gone
	gone       bool
}

func newWheel(cfg Config) *wheel {
	slot := cfg.slot()
	count := func(d time.Duration) int64 { return int64((d + slot - 1) / slot) }
	w := &wheel{
		slot:         slot,
		pingEvery:    count(cfg.PingInterval),
		pongGrace:    count(cfg.PongGrace) + 1, // one more, because a time may have begun at the end of its slot
		messageLimit: count(cfg.MessageTimeout) + 1,
		stallLimit:   count(cfg.StallTimeout) + 1,
		closeLimit:   count(cfg.CloseTimeout) + 1,
		cursor:       1,
	}
	w.now.Store(1)
	return w
}

// run turns the wheel until stop is closed.
func (w *wheel) run(stop <-chan struct{}) {
	ticker := time.NewTicker(w.slot)
	defer ticker.Stop()
	first, began := w.now.Load(), time.Now()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			// From the monotonic clock, because a ticker leaves ticks out when its reader is late.
			w.advance(first + int64(time.Since(began)/w.slot))
		}
	}
}

// advance visits what is due up to now.
func (w *wheel) advance(now int64) {
	w.now.Store(now)
	for w.empty(now) {
		for i, c := range w.due {
			w.due[i] = nil
			if !w.relink(c, c.visit(now)) {
				c.Abort(ErrServerClosed)
			}
		}
	}
}

// empty takes the connections out of the next slot up to now and reports whether there was one.
func (w *wheel) empty(now int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cursor >= now {
		return false
	}
	w.cursor = max(w.cursor+1, now-wheelSlots+1)
	w.due = w.due[:0]
	for head := &w.slots[w.cursor%wheelSlots]; *head != nil; {
		c := *head
		w.unlinkLocked(c)
		c.spot.due = never
		w.due = append(w.due, c)
	}
	return true
}

// add puts a connection on the wheel, to be pinged first at a random time of the ping interval so that many that came at
// once are spread. It reports whether the wheel is open.
func (w *wheel) add(c *Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	c.pingDue = w.now.Load() + 1 + rand.Int64N(w.pingEvery)
	c.spot.due = c.pingDue
	w.linkLocked(c)
	return true
}

// expect makes sure that c is visited at due at the latest.
func (w *wheel) expect(c *Conn, due int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if due >= c.spot.due || c.spot.gone {
		return
	}
	c.spot.due = due
	if c.spot.linked {
		w.unlinkLocked(c)
		w.linkLocked(c)
	}
}

// relink puts a visited connection back and reports whether the wheel is open.
func (w *wheel) relink(c *Conn, due int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	if !c.spot.gone {
		c.spot.due = min(c.spot.due, due)
		w.linkLocked(c)
	}
	return true
}

// remove takes c off the wheel for good.
func (w *wheel) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.spot.gone = true
	if c.spot.linked {
		w.unlinkLocked(c)
	}
}

// close takes no more connections and returns those that are there. One that is being visited is aborted by its visitor.
func (w *wheel) close() []*Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	var all []*Conn
	for _, c := range w.slots {
		for ; c != nil; c = c.spot.next {
			all = append(all, c)
		}
	}
	return all
}

// linkLocked puts c into the slot of its due time, or into the next if that is past.
func (w *wheel) linkLocked(c *Conn) {
	c.spot.slot = uint8(max(w.cursor+1, c.spot.due) % wheelSlots)
	head := &w.slots[c.spot.slot]
	c.spot.prev, c.spot.next, c.spot.linked = nil, *head, true
	if *head != nil {
		(*head).spot.prev = c
	}
	*head = c
}

func (w *wheel) unlinkLocked(c *Conn) {
	if c.spot.prev != nil {
		c.spot.prev.spot.next = c.spot.next
	} else {
		w.slots[c.spot.slot] = c.spot.next
	}
	if c.spot.next != nil {
		c.spot.next.spot.prev = c.spot.prev
	}
	c.spot.prev, c.spot.next, c.spot.linked = nil, nil, false
}
