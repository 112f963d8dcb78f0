package hub

import (
	"context"
	"time"
)

// sweep lets go of what is no longer needed, until ctx ends.
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
		h.each(func(c *channel) { c.expire(now) })
		if now.Sub(rested) >= shrinkEvery {
			rested = now
			h.each((*channel).rest)
		}
	}
}

// each calls f for every channel, without holding a lock.
func (h *Hub) each(f func(*channel)) {
	for i := range h.shards {
		for _, c := range h.shards[i].list(func(*channel) bool { return true }) {
			f(c)
		}
	}
}

// detachVacant ends the feeds of channels that nobody has listened to for a while.
func (h *Hub) detachVacant(now time.Time) {
	for i := range h.shards {
		sh := &h.shards[i]
		for _, c := range sh.list(func(c *channel) bool { return c.refs == 0 && now.Sub(c.vacantSince) >= vacancy }) {
			h.detach(c)
		}
	}
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
	if c.refs == 0 && remove {
		delete(sh.channels, c.name)
	}
	return c.refs == 0
}

func (sh *shard) list(want func(*channel) bool) []*channel {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var found []*channel
	for _, c := range sh.channels {
		if want(c) {
			found = append(found, c)
		}
	}
	return found
}
