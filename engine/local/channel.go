package local

import (
	"context"
	"sync"

	"github.com/earshot/earshot/engine"
)

// logState is what a log was when its last batch was committed.
type logState struct {
	record channelRecord // id zero: the store does not know the channel yet
	stale  bool          // the store has another record, or none
	first  uint64        // offset of the oldest retained publication; top+1 if there is none
	top    uint64
	tag    uint32 // of the entry at top
	bytes  int64  // sum of the sizes of all publications up to top
	unixMS int64  // of the entry at top
	keys   int    // of a map: how many it has
	lost   uint64 // of a map: positions before this offset, but for zero, missed a deleted key that is forgotten
}

func (s *logState) position() engine.Position {
	return engine.Position{Epoch: s.record.epoch, Offset: s.top, Tag: s.tag}
}

// liveState is an unretained channel while the node listens to it.
type liveState struct {
	top    engine.Position
	unixMS int64
}

// channel is what is held in memory of a channel.
type channel struct {
	// Set by table, then read-only.
	name string

	// Guarded by table.mu.
	pins       int   // who uses the channel: it stays in the table meanwhile
	waiting    int   // proposals on their way, all in lane
	lane       *lane // where the channel's proposals go, as long as there are any
	cost       int   // what the table accounts for it
	prev, next *channel

	// Owned by lane while it commits a batch.
	draft *draft

	// Guarded by mu.
	mu         sync.Mutex
	loaded     bool
	log        logState
	marks      marks
	ring       ring
	purged     uint64 // entries before this offset are deleted, if lookedUp; else there may be some from before the load
	lookedUp   bool
	saved      uint64 // first as the store would give it after a restart
	purging    bool   // waits for the deletion of what retention dropped
	subscribed bool
	live       *liveState
	settled    chan struct{} // closed when the batch under way is committed or has failed; nil while nobody waits
	tainted    bool          // an uncommitted batch of it may be in the store: never to be loaded again
}

// load reads the channel from the store unless that was done already.
func (c *channel) load(s *store, kind engine.Kind, loose bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded {
		return nil
	}
	state, err := s.loadLog(c.name, kind, loose)
	if err != nil {
		return err
	}
	c.log, c.saved, c.purged, c.loaded = state, state.first, state.first, true
	return nil
}

// state returns the committed state.
func (c *channel) state() logState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log
}

// settle lets those go on who wait for the batch under way.
func (c *channel) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settleLocked()
}

func (c *channel) settleLocked() {
	if c.settled != nil {
		close(c.settled)
		c.settled = nil
	}
}

// committed returns the state once it is committed up to offset; if that is still under way, a channel to wait for.
func (c *channel) committed(offset uint64) (logState, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log.top >= offset || c.tainted {
		return c.log, nil
	}
	if c.settled == nil {
		c.settled = make(chan struct{})
	}
	return c.log, c.settled
}

// awaitCommit returns the state once what the store has up to offset is committed, or has failed: then its top is less.
func (c *channel) awaitCommit(ctx context.Context, offset uint64) (logState, error) {
	state, under := c.committed(offset)
	for under != nil {
		select {
		case <-under:
		case <-ctx.Done():
			return state, ctx.Err()
		}
		state, under = c.committed(offset)
	}
	return state, nil
}

// snapshot returns the committed state and the newest publications at the same instant.
func (c *channel) snapshot() (logState, []*engine.Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log, c.ring.pubs
}

// first returns the offset of the oldest retained publication.
func (c *channel) first() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.first
}

// raiseFirst drops what is before first, logically.
func (c *channel) raiseFirst(first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raiseFirstLocked(first)
}

func (c *channel) raiseFirstLocked(first uint64) {
	if first > c.log.first {
		c.log.first = first
		c.ring.drop(first)
	}
}

// ring holds the newest committed publications. Its slices are never overwritten, so that readers may keep them.
type ring struct {
	pubs  []*engine.Publication
	bytes int
}

const (
	ringPublications = 32
	ringBytes        = 64 << 10
	publicationCost  = 200 // what a publication takes besides its contents
)

func (r *ring) add(pubs []*engine.Publication) {
	for _, p := range pubs {
		r.bytes += p.Size() + publicationCost
	}
	r.pubs = append(r.pubs, pubs...)
	for len(r.pubs) > 1 && (len(r.pubs) > ringPublications || r.bytes > ringBytes) {
		r.shift()
	}
}

// drop forgets the publications before the offset first.
func (r *ring) drop(first uint64) {
	for len(r.pubs) > 0 && r.pubs[0].Offset < first {
		r.shift()
	}
}

func (r *ring) shift() {
	r.bytes -= r.pubs[0].Size() + publicationCost
	r.pubs = r.pubs[1:]
}
