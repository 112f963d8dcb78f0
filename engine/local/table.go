package local

import "sync"

// table holds the channels that are in use, and those used last as far as they fit its budget.
type table struct {
	mu     sync.Mutex
	byName map[string]*channel
	budget int
	cost   int
	// idle is the head of the list of channels that nobody uses, from the one used last.
	idle channel
}

// channelCost is what a channel takes in memory without its ring.
const channelCost = 700

func newTable(budget int) *table {
	t := &table{byName: map[string]*channel{}, budget: budget}
	t.idle.prev, t.idle.next = &t.idle, &t.idle
	return t
}

// acquire returns the channel, which stays in the table until it is released.
func (t *table) acquire(name string) *channel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.acquireLocked(name)
}

func (t *table) acquireLocked(name string) *channel {
	c := t.byName[name]
	if c == nil {
		c = &channel{name: name, cost: channelCost}
		t.byName[name] = c
		t.cost += c.cost
	}
	c.unlinkLocked()
	c.pins++
	return c
}

// acquireFor is acquire for a proposal, and says which lane it has to take: l, unless others are still on their way in
// another one.
func (t *table) acquireFor(name string, l *lane) (*channel, *lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.acquireLocked(name)
	if c.waiting == 0 {
		c.lane = l
	}
	c.waiting++
	return c, c.lane
}

func (t *table) release(c *channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.releaseLocked(c)
	t.shrinkLocked()
}

// releaseProposals undoes acquireFor.
func (t *table) releaseProposals(batch []proposal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range batch {
		batch[i].ch.waiting--
		t.releaseLocked(batch[i].ch)
	}
	t.shrinkLocked()
}

func (t *table) releaseLocked(c *channel) {
	c.pins--
	if c.pins > 0 {
		return
	}
	c.mu.Lock()
	cost := channelCost + len(c.name) + c.ring.bytes
	c.mu.Unlock()
	t.cost += cost - c.cost
	c.cost = cost
	c.next, c.prev = t.idle.next, &t.idle
	c.next.prev, c.prev.next = c, c
}

// shrinkLocked forgets the channels that were not used for longest. Of a channel that must stay it forgets the ring.
func (t *table) shrinkLocked() {
	for t.cost > t.budget && t.idle.prev != &t.idle {
		c := t.idle.prev
		c.unlinkLocked()
		t.cost -= c.cost
		c.cost = 0
		if c.mustStay() {
			c.cost = channelCost
			t.cost += c.cost
		} else {
			delete(t.byName, c.name)
		}
	}
}

// mustStay reports whether the channel has state that the store has not. If so, it forgets its ring.
func (c *channel) mustStay() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.subscribed && !c.tainted && !c.purging {
		return false
	}
	c.ring = ring{}
	return true
}

// unlinkLocked takes c from the list of idle channels, if it is there.
func (c *channel) unlinkLocked() {
	if c.next != nil {
		c.prev.next, c.next.prev = c.next, c.prev
		c.prev, c.next = nil, nil
	}
}

func (t *table) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byName)
}
