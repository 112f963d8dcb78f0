package hub

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/earshot/earshot/engine"
)

// channel is what the node knows of one channel: who listens, and the ring of the newest entries.
type channel struct {
	// Set at creation, then read-only.
	hub    *Hub
	name   string
	kind   engine.Kind
	maxAge time.Duration // of a publication; zero: no limit
	gather time.Duration // how long news gathers before the listeners are woken

	ring ring

	// Guarded by the shard's lock.
	refs        int       // joined subscriptions, and joins under way
	vacantSince time.Time // when refs became zero
	listed      bool      // the shard's list of vacated channels has it

	// attaching is held while the channel attaches to or detaches from the engine's feed.
	attaching sync.Mutex
	attached  bool // guarded by attaching

	// feeding is held while the ring is written.
	feeding sync.Mutex
	open    bool // guarded by feeding: the feed may append
	// Guarded by feeding.
	busy    bool // something was appended since rest
	resting bool // hub.busy has the channel
	ageing  bool // hub.aging has it

	wakeRound

	mu        sync.Mutex
	listeners []*Subscription // guarded by mu; each knows its index
	crowded   atomic.Bool     // there are more than crowd of them; written with mu held
}

func newChannel(h *Hub, name string, rules engine.Rules) *channel {
	c := &channel{hub: h, name: name, kind: rules.Kind, maxAge: rules.MaxAge, gather: rules.Gather}
	c.ring.bound(rules)
	return c
}

// attach subscribes the node to the channel's feed, once.
func (c *channel) attach(ctx context.Context, e engine.Engine) error {
	c.attaching.Lock()
	defer c.attaching.Unlock()
	if c.attached {
		return nil
	}
	// The feed may come before Subscribe has returned.
	c.setOpen(true)
	top, err := e.Subscribe(ctx, c.name)
	if err != nil {
		c.setOpen(false)
		return fmt.Errorf("subscribe the node to %q: %w", c.name, err)
	}
	c.feeding.Lock()
	c.ring.start(top)
	c.feeding.Unlock()
	c.attached = true
	return nil
}

// detachLocked ends the feed; the caller holds attaching. What the ring held is forgotten: it would no longer be continued.
func (c *channel) detachLocked(e engine.Engine) {
	if c.attached {
		e.Unsubscribe(c.name)
		c.setOpen(false)
		c.attached = false
	}
}

// setOpen says whether the feed may append. A closed ring is empty.
func (c *channel) setOpen(open bool) {
	c.feeding.Lock()
	defer c.feeding.Unlock()
	c.open = open
	if !open {
		c.ring.clear()
	}
}

// feed appends what was committed and reports whether anybody may want to know.
func (c *channel) feed(pubs []*engine.Publication) bool {
	c.feeding.Lock()
	defer c.feeding.Unlock()
	if !c.open {
		return false
	}
	for _, p := range pubs {
		c.ring.append(&Entry{Publication: p})
	}
	c.tendLocked()
	return true
}

// tendLocked has the ring tended that something was appended to; the caller holds feeding.
func (c *channel) tendLocked() {
	c.busy = true
	if !c.resting {
		c.resting = true
		c.hub.busy.add(c)
	}
	if c.maxAge > 0 && !c.ageing {
		c.ageing = true
		c.hub.aging.add(c)
	}
}

// restart has the ring go on after top, and reports whether anybody may want to know.
func (c *channel) restart(top engine.Position) bool {
	c.feeding.Lock()
	defer c.feeding.Unlock()
	if !c.open {
		return false
	}
	c.ring.restart(top)
	return true
}

// expire drops from the ring what the log drops for its age, and reports whether anything is left.
func (c *channel) expire(now time.Time) (left bool) {
	c.feeding.Lock()
	defer c.feeding.Unlock()
	c.ring.expire(now.Add(-c.maxAge).UnixMilli())
	c.ageing = c.ring.oldest() != nil
	return c.ageing
}

// rest shrinks the ring if nothing was appended since the last call, and reports whether something was.
func (c *channel) rest() (busy bool) {
	c.feeding.Lock()
	defer c.feeding.Unlock()
	busy = c.busy
	if !busy {
		c.ring.shrink()
	}
	c.busy, c.resting = false, busy
	return busy
}

// add registers s as a listener.
func (c *channel) add(s *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.index = int32(len(c.listeners)) // more of them would not fit into memory
	c.listeners = append(c.listeners, s)
	c.crowded.Store(len(c.listeners) > crowd)
}

// remove takes s out and reports whether it was in. The last listener takes its place and is woken, since a turn of
// waking that is under way may have passed that place.
func (c *channel) remove(s *Subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.index < 0 {
		return false
	}
	last := len(c.listeners) - 1
	moved := c.listeners[last]
	c.listeners[s.index] = moved
	moved.index = s.index
	c.listeners[last] = nil
	c.listeners = c.listeners[:last]
	c.crowded.Store(last > crowd)
	s.index = -1
	if moved != s {
		c.wakeOne(moved)
	}
	return true
}
