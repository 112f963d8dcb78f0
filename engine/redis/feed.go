package redis

import (
	"sync"

	"github.com/earshot/earshot/engine"
)

// maxHeldBytes bounds what is kept of a feed while it is repaired. More of it is read from the log again.
const maxHeldBytes = 1 << 20

// feedState is what a feed does with what Redis sends.
type feedState uint8

const (
	feedOpening   feedState = iota // hold it: where the feed starts is not known yet
	feedLive                       // hand it on
	feedRepairing                  // hold it: what came before is read from the log first
	feedEnded                      // drop it
)

// channelFeed is one channel that this node listens to.
type channelFeed struct {
	// Set by add, then read-only.
	feeds *feeds
	name  string
	keys  channelKeys
	rules engine.Rules

	// attaching is held while the feed is attached to, or detached from, what Redis sends.
	attaching sync.Mutex
	attached  bool // guarded by attaching
	detached  bool // guarded by attaching: for good

	repairing sync.Mutex // held while the feed is repaired

	// mu is held while the node is fed, so that its publications come in order.
	mu        sync.Mutex
	state     feedState
	at        engine.Position // what was fed last, or where the feed starts
	held      []*engine.Publication
	heldBytes int
	spilled   bool // held is not all there was
	busy      bool // something was fed since the last check
	quiet     int  // checks in a row since then
}

// open starts the feed after top.
func (c *channelFeed) open(top engine.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.busy = top, true
	c.state = feedRepairing
	if !c.feeds.hasBegun() {
		return // begin goes on
	}
	if !c.resumeLocked() {
		c.feeds.broken.put(c)
	}
}

// begin is called once the node can be fed.
func (c *channelFeed) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == feedRepairing {
		c.feeds.broken.put(c)
	}
}

func (c *channelFeed) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = feedEnded
	c.dropHeldLocked()
}

func (c *channelFeed) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == feedEnded
}

// receive takes consecutive publications that Redis sent.
func (c *channelFeed) receive(pubs []*engine.Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case feedLive:
		if !c.acceptLocked(pubs) {
			c.state = feedRepairing
			c.holdLocked(pubs)
			c.feeds.broken.put(c)
		}
	case feedOpening, feedRepairing:
		c.holdLocked(pubs)
	case feedEnded:
	}
}

// acceptLocked feeds what follows the feed's position, and leaves out what came before. It reports whether they join;
// if not, nothing was fed.
func (c *channelFeed) acceptLocked(pubs []*engine.Publication) bool {
	for len(pubs) > 0 && pubs[0].Epoch == c.at.Epoch && pubs[0].Offset <= c.at.Offset {
		if p := pubs[0]; p.Offset == c.at.Offset && p.Tag != c.at.Tag && c.retained() {
			return false
		}
		pubs = pubs[1:]
	}
	if len(pubs) == 0 {
		return true
	}
	if c.retained() && !follows(c.at, pubs[0]) {
		return false
	}
	c.feedLocked(pubs)
	return true
}

// retained reports whether what is missing can be read from a log. Where it can't, the node is fed past a gap: its readers
// are told how many they missed.
func (c *channelFeed) retained() bool { return c.rules.Kind != engine.KindPub }

// decoder returns what reads the entries that Redis sends.
func (c *channelFeed) decoder() func(engine.Position, []byte) (*engine.Publication, error) {
	if c.rules.Kind == engine.KindMap {
		return decodeFedChange
	}
	return decodeEntry
}

// follows reports whether p is the successor of the entry at pos.
func follows(pos engine.Position, p *engine.Publication) bool {
	return p.Epoch == pos.Epoch && p.Offset == pos.Offset+1 && p.PrevTag == pos.Tag
}

func (c *channelFeed) feedLocked(pubs []*engine.Publication) {
	if len(pubs) == 0 {
		return
	}
	c.at, c.busy = pubs[len(pubs)-1].Position, true
	c.feeds.committed(c.name, pubs)
}

func (c *channelFeed) holdLocked(pubs []*engine.Publication) {
	for _, p := range pubs {
		c.heldBytes += p.Size() + proposalCost
	}
	if c.spilled || c.heldBytes > maxHeldBytes {
		c.dropHeldLocked()
		c.spilled = true
		return
	}
	c.held = append(c.held, pubs...)
}

func (c *channelFeed) dropHeldLocked() {
	c.held, c.heldBytes, c.spilled = nil, 0, false
}

// resumeLocked makes the feed live again if what was held joins its position.
func (c *channelFeed) resumeLocked() bool {
	if c.spilled && c.retained() {
		return false
	}
	held := c.held
	for len(held) > 0 {
		n := runLength(held)
		if !c.acceptLocked(held[:n]) {
			return false
		}
		held = held[n:]
	}
	c.dropHeldLocked()
	c.state = feedLive
	return true
}

// runLength returns how many publications from the first on follow each other.
func runLength(pubs []*engine.Publication) int {
	n := 1
	for n < len(pubs) && follows(pubs[n-1].Position, pubs[n]) {
		n++
	}
	return n
}
