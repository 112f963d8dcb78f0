package hub

import (
	"context"
	"slices"
	"sync"
	"time"
)

// sweep lets go of what is no longer needed, until ctx ends. It looks at the channels to which something happened only:
// there may be a million others.
func (h *Hub) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	rested := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		h.readAgain()
		h.shared.sweep(now)
		h.detachVacant(now)
		h.aging.tend(func(c *channel) bool { return c.expire(now) })
		if now.Sub(rested) >= shrinkEvery {
			rested = now
			h.busy.tend((*channel).rest)
		}
	}
}

// tended are the channels whose rings have something to lose. A channel says itself whether it is among them.
type tended struct {
	mu       sync.Mutex
	channels []*channel // guarded by mu
}

func (t *tended) add(c *channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.channels = append(t.channels, c)
}

// tend calls keep for each channel, without holding a lock, and drops those for which it reports false.
func (t *tended) tend(keep func(*channel) bool) {
	t.mu.Lock()
	all := t.channels
	t.channels = nil
	t.mu.Unlock()
	for _, c := range all {
		if keep(c) {
			t.add(c)
		}
	}
}

// vacated says that a channel lost its last listener.
type vacated struct {
	channel *channel
	at      time.Time
}

// detachVacant ends the feeds of channels that nobody has listened to for a while.
func (h *Hub) detachVacant(now time.Time) {
	for i := range h.shards {
		for _, c := range h.shards[i].overdue(now) {
			h.detach(c)
		}
	}
}

// overdue takes those channels out of the list that have been vacant for long enough. One that has had listeners meanwhile
// goes to its end, and so may wait for twice as long.
func (sh *shard) overdue(now time.Time) (due []*channel) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := 0
	for ; n < len(sh.vacated) && now.Sub(sh.vacated[n].at) >= vacancy; n++ {
		c := sh.vacated[n].channel
		if c.refs == 0 && now.Sub(c.vacantSince) < vacancy {
			sh.vacated = append(sh.vacated, vacated{c, c.vacantSince})
			continue
		}
		c.listed = false
		if c.refs == 0 {
			due = append(due, c)
		}
	}
	if n > 0 {
		sh.vacated = slices.Clone(sh.vacated[n:])
	}
	return due
}

// detach ends the feed of c and forgets it, unless somebody joins meanwhile: a join that waits for c.attaching attaches
// it again.
func (h *Hub) detach(c *channel) {
	c.attaching.Lock()
	defer c.attaching.Unlock()
	sh := h.shard(c.name)
	if !sh.vacant(c, false) {
		return
	}
	c.detachLocked(h.engine)
	sh.vacant(c, true)
}

// vacant reports whether nobody holds c, and if so and remove is set, takes c out.
func (sh *shard) vacant(c *channel, remove bool) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if c.refs == 0 && remove && sh.channels[c.name] == c {
		delete(sh.channels, c.name)
	}
	return c.refs == 0
}
