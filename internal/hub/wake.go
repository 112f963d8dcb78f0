package hub

import (
	"sync/atomic"
	"time"
)

const (
	// wakeTurn is how many listeners of one channel are woken before the next channel has its turn, so that a channel of
	// many thousands does not hold up a channel of two.
	wakeTurn = 256
	// crowd is with how many listeners a channel lets smaller ones, and their listeners, go first. A crowd's last listener
	// waits for all the others anyway, some 5 us for each.
	crowd = 64
)

// wakeRound is how far a channel is in waking its listeners.
type wakeRound struct {
	// news says that something was appended since the round began: another round must follow, because a listener that
	// was woken early may have read before it.
	news   atomic.Bool
	inLine atomic.Bool // the channel stands in the hub's line or is being served
	next   int         // the listener to wake next; owned by the waker
}

// announce has the listeners of c woken.
func (h *Hub) announce(c *channel) {
	c.news.Store(true)
	if !c.inLine.CompareAndSwap(false, true) {
		return
	}
	if c.gather == 0 {
		h.queue(c)
	} else {
		time.AfterFunc(c.gather, func() { h.queue(c) })
	}
}

func (h *Hub) queue(c *channel) { h.news.put(c, c.crowded.Load()) }

// wake serves the channels with news in turns, until the line is closed.
func (h *Hub) wake() {
	for {
		c, ok := h.news.take()
		if !ok {
			return
		}
		if c.next == 0 {
			c.news.Store(false)
		}
		if !c.wakeSome(wakeTurn) {
			h.queue(c)
			continue
		}
		c.next = 0
		c.inLine.Store(false)
		if c.news.Load() {
			h.announce(c)
		}
	}
}

// wakeSome wakes up to n listeners, going on from the last call, and reports whether the round is complete.
func (c *channel) wakeSome(n int) (complete bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := min(c.next, len(c.listeners))
	c.next = min(from+n, len(c.listeners))
	for _, s := range c.listeners[from:c.next] {
		c.wakeOne(s)
	}
	return c.next == len(c.listeners)
}

// wakeOne wakes a listener, after those of smaller channels if it is one of a crowd.
func (c *channel) wakeOne(s *Subscription) {
	if c.crowded.Load() {
		s.listener.WakeLater()
	} else {
		s.listener.Wake()
	}
}
