package hub

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

// Bounds of what reads share. When thousands of clients come back at once, most are at the same position of a channel.
const (
	// maxShared is how many pages are held for readers that ask for the same: 4 MB at most, and as much for each encoding in
	// use. Beyond, each reads for itself.
	maxShared = 64
	// shareFor is how long a page is held: no longer than a ring may hold what has become too old for the log.
	shareFor = sweepEvery
)

// place says what a reader of a log asks for: what follows at, or the last so many publications.
type place struct {
	channel *channel
	at      engine.Position
	last    int
	back    bool // not from at
}

// sharedRead is a page for all who ask for it. Its encoded entries are shared as well.
type sharedRead struct {
	top   *engine.Position // the newest in the ring when the read began
	began time.Time
	done  chan struct{} // closed once page and err are set

	page *page
	err  error
}

// valid reports whether a read that begins now would find the same, as far as the ring knows.
func (r *sharedRead) valid(c *channel, now time.Time) bool {
	return r.top == c.ring.top.Load() && now.Sub(r.began) < shareFor
}

// sharedReads are the reads under way, and those of a moment ago.
type sharedReads struct {
	mu    sync.Mutex
	reads map[place]*sharedRead // guarded by mu; at most maxShared
}

// readOnce returns what read does, or did for another reader at the same place. The page is the caller's, its entries are
// shared. Only readers of logs share: that of a map is told when it has had everything, which an earlier page does not say.
func (h *Hub) readOnce(ctx context.Context, at place, read func() (*page, error)) (*page, error) {
	if at.channel.kind != engine.KindLog {
		return read()
	}
	one, mine := h.shared.find(at, time.Now())
	switch {
	case one == nil:
		return read()
	case mine:
		one.page, one.err = read()
		h.shared.finish(at, one)
	default:
		select {
		case <-one.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if one.err != nil {
			return read() // it may have been the other reader's patience that ended
		}
	}
	if one.err != nil {
		return nil, one.err
	}
	own := *one.page
	return &own, nil
}

// find returns the read at a place, and whether the caller has to make it. Without room it returns nil.
func (s *sharedReads) find(at place, now time.Time) (one *sharedRead, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one = s.reads[at]; one != nil && one.valid(at.channel, now) {
		return one, false
	}
	if one == nil && len(s.reads) >= maxShared {
		return nil, false
	}
	if s.reads == nil {
		s.reads = make(map[place]*sharedRead)
	}
	one = &sharedRead{top: at.channel.ring.top.Load(), began: now, done: make(chan struct{})}
	s.reads[at] = one
	return one, true
}

// finish hands the outcome to those that wait, and forgets it if it is of no use to others: without a page, or with nothing
// in it, a reader must be able to ask again.
func (s *sharedReads) finish(at place, one *sharedRead) {
	close(one.done)
	if one.err == nil && (len(one.page.entries) > 0 || one.page.reset != "") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads[at] == one {
		delete(s.reads, at)
	}
}

// sweep forgets the reads that are no longer valid.
func (s *sharedReads) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.reads, func(at place, one *sharedRead) bool { return !one.valid(at.channel, now) })
}
