package hub

import (
	"context"
	"sync"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Bounds of one page that is read for a reader who is behind.
const (
	pageEntries = 128
	pageBytes   = 64 << 10
)

// page is what the log had for a reader who is behind.
type page struct {
	entries []*Entry // those not handed out yet; the slice is shared with other readers
	// reset, if not empty, says that the reader's position could not be continued: entries go on after start.
	reset wire.ResetReason
	start engine.Position
	// end is where the reader is once it has read entries. In a map that may be further than the last of them.
	end  engine.Position
	more bool // there is more to read after end
}

func newPage(p engine.Page) *page {
	return &page{start: p.Start, end: p.End, more: p.More, entries: entries(p.Publications)}
}

// next hands out an entry, or nil at the end.
func (p *page) next() *Entry {
	if len(p.entries) == 0 {
		return nil
	}
	e := p.entries[0]
	p.entries = p.entries[1:]
	return e
}

// retries are the subscriptions whose read failed.
type retries struct {
	mu   sync.Mutex
	subs []*Subscription // guarded by mu
}

// read serves subscriptions that are behind, until the line is closed.
func (h *Hub) read(ctx context.Context) {
	for {
		s, ok := h.reads.take()
		if !ok {
			return
		}
		// The subscription leaves at and last alone while it waits for the page.
		at := place{channel: s.channel, at: s.at, last: int(s.last)}
		found, err := h.readOnce(ctx, at, func() (*page, error) { return h.readAfter(ctx, s) })
		if err != nil {
			h.readLater(ctx, s, err)
			continue
		}
		s.found.Store(found)
		s.listener.WakeLater()
	}
}

// readAfter reads what follows the position of s, or, where that can't be continued, what follows a new start: in a map the
// beginning, as all keys are read again; in a log the newest position, or s.last publications before it.
func (h *Hub) readAfter(ctx context.Context, s *Subscription) (*page, error) {
	p, err := h.engine.History(ctx, s.channel.name, pageQuery(engine.Query{Since: &s.at}))
	if err != nil || p.Complete {
		return newPage(p), err
	}
	why := resetReason(s.at, p)
	anew := &page{start: p.Top, end: p.Top}
	switch {
	case s.channel.kind == engine.KindMap:
		anew.start = engine.Position{Epoch: p.Top.Epoch}
		anew.end, anew.more = anew.start, true
	case s.last > 0:
		p, err = h.engine.History(ctx, s.channel.name, pageQuery(engine.Query{Last: int(s.last)}))
		anew = newPage(p)
	}
	anew.reset = why
	return anew, err
}

// readLater keeps s for the next sweep.
func (h *Hub) readLater(ctx context.Context, s *Subscription, err error) {
	if ctx.Err() != nil {
		return
	}
	h.log.Warn("read for a subscriber failed, will try again", "channel", s.channel.name, "error", err)
	h.again.mu.Lock()
	h.again.subs = append(h.again.subs, s)
	h.again.mu.Unlock()
}

// readAgain puts the subscriptions whose read failed back in line, those that were left meanwhile excepted.
func (h *Hub) readAgain() {
	h.again.mu.Lock()
	subs := h.again.subs
	h.again.subs = nil
	h.again.mu.Unlock()
	for _, s := range subs {
		if s.joined() {
			h.reads.put(s, false)
		}
	}
}

func resetReason(at engine.Position, p engine.Page) wire.ResetReason {
	switch {
	case p.Evicted:
		return wire.ResetEvicted
	case at.Epoch != 0 && at.Epoch != p.Top.Epoch:
		return wire.ResetEpoch
	}
	return wire.ResetUnknown
}

func pageQuery(q engine.Query) engine.Query {
	q.Limit, q.MaxBytes = pageEntries, pageBytes
	return q
}

func entries(pubs []*engine.Publication) []*Entry {
	if len(pubs) == 0 {
		return nil
	}
	all := make([]Entry, len(pubs))
	list := make([]*Entry, len(pubs))
	for i, p := range pubs {
		all[i].Publication = p
		list[i] = &all[i]
	}
	return list
}
