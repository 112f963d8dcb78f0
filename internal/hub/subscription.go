package hub

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Subscription is one listener's place in a channel. Its methods are called by one goroutine at a time, under the
// listener's own lock.
type Subscription struct {
	// Set by Join, then read-only.
	channel  *channel
	listener Listener

	index int32 // place among the channel's listeners, -1 once left; guarded by channel.mu

	// Owned by the reader.
	last   int32           // publications before the newest at which a reset goes on
	at     engine.Position // what was read last
	page   *page           // read from the log, to be handed out before the ring; nil for none
	begun  bool
	proven bool // the log has confirmed that at is one of its positions
	asked  bool // a page was asked for and has not been taken
	synced bool // nothing was left to read at some moment since it began, or since its last reset

	found atomic.Pointer[page]
}

// Event is what a reader finds next: an entry, or a break in the stream.
type Event struct {
	Entry  *Entry
	Reset  wire.ResetReason // not empty: the stream goes on after the subscription's position, which does not join what came before
	Missed uint64           // not zero: so many publications of a channel that keeps nothing went by unread
}

// Channel returns the channel's name.
func (s *Subscription) Channel() string { return s.channel.name }

// Kind returns what the channel keeps.
func (s *Subscription) Kind() engine.Kind { return s.channel.kind }

// Position returns where the reader is.
func (s *Subscription) Position() engine.Position { return s.at }

// Synced reports whether, at some moment since the subscription began or was reset, everything that there was had been read.
func (s *Subscription) Synced() bool { return s.synced }

// Start says where in the channel a subscription starts.
type Start struct {
	Since string // a position's text; empty for none
	Last  int    // so many publications before the newest; with Since, where a reset goes on
}

// Begin finds the place to start at. It may read the log; the listener's lock need not be held, as nobody else knows the
// subscription yet.
func (s *Subscription) Begin(ctx context.Context, start Start) error {
	if s.channel.kind == engine.KindLog {
		s.last = int32(min(start.Last, math.MaxInt32))
	}
	s.begun = true
	top := *s.channel.ring.top.Load()
	switch {
	case start.Since != "":
		// Whether the position is one of the channel is found out while reading, as for every reader that is behind.
		// What is no position at all stays zero, which is one of no channel.
		s.at, _ = engine.ParsePosition(start.Since)
	case s.channel.kind == engine.KindMap:
		s.at = engine.Position{Epoch: top.Epoch} // all keys there are come first
	case s.last > 0:
		return s.beginBack(ctx)
	default:
		s.at = top
	}
	return nil
}

// beginBack starts s.last publications before the newest.
func (s *Subscription) beginBack(ctx context.Context) error {
	p, err := s.channel.hub.readOnce(ctx, place{channel: s.channel, last: int(s.last), back: true}, func() (*page, error) {
		p, err := s.channel.hub.engine.History(ctx, s.channel.name, pageQuery(engine.Query{Last: int(s.last)}))
		return newPage(p), err
	})
	if err != nil {
		return err
	}
	s.at, s.page, s.proven = p.start, p, true
	return nil
}

// Next returns what the reader finds next and moves its position past it. Without news it reports false, and the listener
// is woken when there may be some.
func (s *Subscription) Next() (Event, bool) {
	if !s.begun {
		return Event{}, false
	}
	if s.asked {
		found := s.found.Swap(nil)
		if found == nil {
			return Event{}, false
		}
		if ev, ok := s.take(found); ok {
			return ev, true
		}
	}
	if s.page != nil {
		if e := s.page.next(); e != nil {
			return s.advance(e), true
		}
		s.synced = s.synced || !s.page.more
		s.at, s.page = s.page.end, nil
	}
	return s.fromRing()
}

// Leave ends the subscription. It is idempotent.
func (s *Subscription) Leave() {
	if s.channel.remove(s) {
		s.channel.hub.release(s.channel)
	}
}

func (s *Subscription) advance(e *Entry) Event {
	s.at, s.proven = e.Position, true
	return Event{Entry: e}
}

// fromRing reads the entry after the reader's position. An entry names its predecessor by offset and tag, so that finding
// one that follows proves the position as well. In a map, an entry whose key has changed again is passed over.
func (s *Subscription) fromRing() (Event, bool) {
	ring := &s.channel.ring
	for {
		top := ring.top.Load()
		if top == nil {
			return Event{}, false
		}
		if s.at == *top {
			s.synced = true
			return Event{}, false
		}
		e := ring.at(s.at.Epoch, s.at.Offset+1)
		switch {
		case e != nil && e.PrevTag == s.at.Tag && !e.superseded.Load():
			return s.advance(e), true
		case e != nil && e.PrevTag == s.at.Tag:
			s.at = e.Position
		case s.channel.kind == engine.KindPub:
			return s.skip(top)
		default:
			return s.askLog(top)
		}
	}
}

// askLog has a page read from the log, unless the log has already said that the reader is ahead of the feed.
func (s *Subscription) askLog(top *engine.Position) (Event, bool) {
	ahead := s.proven && s.at.Epoch == top.Epoch && s.at.Offset >= top.Offset
	if !ahead {
		s.asked = true
		s.channel.hub.reads.put(s, false)
	}
	return Event{}, false
}

// take receives a page from the log.
func (s *Subscription) take(found *page) (Event, bool) {
	s.asked = false
	s.page = found
	if found.reset != "" {
		s.at, s.proven, s.synced = found.start, true, false
		return Event{Reset: found.reset}, true
	}
	s.proven = true
	return Event{}, false
}

// skip moves a reader of a channel that keeps nothing to the oldest entry held, and says what it missed.
func (s *Subscription) skip(top *engine.Position) (Event, bool) {
	next := *top
	if oldest := s.channel.ring.oldest(); oldest != nil {
		next = engine.Position{Epoch: oldest.Epoch, Offset: oldest.Offset - 1, Tag: oldest.PrevTag}
	}
	if next.Epoch != s.at.Epoch || next.Offset <= s.at.Offset {
		why := resetReason(s.at, engine.Page{Top: *top})
		s.at = *top
		return Event{Reset: why}, true
	}
	missed := next.Offset - s.at.Offset
	s.at = next
	return Event{Missed: missed}, true
}

// joined reports whether the subscription has not been left.
func (s *Subscription) joined() bool {
	s.channel.mu.Lock()
	defer s.channel.mu.Unlock()
	return s.index >= 0
}
