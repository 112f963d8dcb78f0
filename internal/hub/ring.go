package hub

import (
	"sync/atomic"

	"github.com/earshot/earshot/engine"
)

// Bounds of a ring. A reader that falls further behind reads from the log. The ring of a log holds nothing that the log's
// retention has dropped: what a position can still read must not depend on who else listens.
const (
	minRingEntries = 4
	maxRingEntries = 1024
	maxRingBytes   = 1 << 20
)

// ring holds a channel's newest entries: consecutive offsets of one epoch. One goroutine at a time writes; any number
// read without a lock, and find either the entry they ask for or that it is gone.
type ring struct {
	// top is the newest position known, nil before there is one.
	top atomic.Pointer[engine.Position]
	// base is the offset of the oldest entry held; top's offset + 1 when none is.
	base atomic.Uint64
	// buf has a power of two of places; the entry of offset o is at o modulo its length.
	buf atomic.Pointer[[]atomic.Pointer[Entry]]

	// Set at creation, then read-only.
	maxEntries int
	maxBytes   int

	// Owned by the writer.
	bytes  int
	latest map[string]*Entry // of a map: the newest entry held of each key; nil in other channels
}

// bound sets the bounds of an empty ring, for a channel with rules.
func (r *ring) bound(rules engine.Rules) {
	r.maxEntries, r.maxBytes = maxRingEntries, maxRingBytes
	if n := rules.MaxPublications; n > 0 {
		r.maxEntries = min(r.maxEntries, n)
	}
	if n := rules.MaxBytes; n > 0 {
		r.maxBytes = int(min(int64(r.maxBytes), n))
	}
	if rules.Kind == engine.KindMap {
		r.latest = make(map[string]*Entry)
	}
}

// at returns the entry of epoch at offset, or nil if the ring does not hold it.
func (r *ring) at(epoch, offset uint64) *Entry {
	buf := r.buf.Load()
	if buf == nil {
		return nil
	}
	e := (*buf)[offset&uint64(len(*buf)-1)].Load()
	if e == nil || e.Offset != offset || e.Epoch != epoch {
		return nil
	}
	return e
}

// oldest returns the oldest entry held, or nil.
func (r *ring) oldest() *Entry {
	for {
		top := r.top.Load()
		if top == nil {
			return nil
		}
		base := r.base.Load()
		if e := r.at(top.Epoch, base); e != nil {
			return e
		}
		// Either the ring is empty or the writer moved base meanwhile.
		if base == r.base.Load() && top == r.top.Load() {
			return nil
		}
	}
}

// start makes top the newest position, unless the ring already goes on from it.
func (r *ring) start(top engine.Position) {
	if have := r.top.Load(); have != nil && have.Epoch == top.Epoch && have.Offset >= top.Offset {
		return
	}
	r.clear()
	r.restart(top)
}

// restart drops all entries and makes top the newest position.
func (r *ring) restart(top engine.Position) {
	r.empty(top.Offset + 1)
	r.top.Store(&top)
}

// clear forgets everything, the top too: only where nobody reads.
func (r *ring) clear() {
	r.top.Store(nil)
	r.empty(0)
}

// empty drops all entries; the next one held is that of offset base.
func (r *ring) empty(base uint64) {
	r.buf.Store(nil)
	r.base.Store(base)
	r.bytes = 0
	clear(r.latest)
}

// append adds the next entry and drops the oldest ones beyond the bounds. After a gap or in a new epoch only e is held:
// readers that are further back find out from the log. An entry that is not newer than the top is left out.
func (r *ring) append(e *Entry) {
	top := r.top.Load()
	switch {
	case top != nil && top.Epoch == e.Epoch && e.Offset <= top.Offset:
		return
	case top == nil || top.Epoch != e.Epoch || e.Offset != top.Offset+1 || e.PrevTag != top.Tag:
		r.empty(e.Offset)
	}
	buf := r.room(e)
	(*buf)[e.Offset&uint64(len(*buf)-1)].Store(e)
	r.bytes += e.Size()
	r.supersede(e)
	r.top.Store(&e.Position)
	for r.bytes > r.maxBytes && r.base.Load() < e.Offset {
		r.evict(buf)
	}
}

// supersede marks the entry of e's key before e, so that a reader of a map gets the latest only.
func (r *ring) supersede(e *Entry) {
	if r.latest == nil {
		return
	}
	if before := r.latest[e.Key]; before != nil {
		before.superseded.Store(true)
	}
	r.latest[e.Key] = e
}

// room returns a buffer with a free place for e, grown or with the oldest entry evicted.
func (r *ring) room(e *Entry) *[]atomic.Pointer[Entry] {
	buf := r.buf.Load()
	held := int(e.Offset - r.base.Load())
	switch {
	case buf == nil:
		return r.resize(minRingEntries, e)
	case held >= r.maxEntries:
		r.evict(buf)
	case held == len(*buf):
		return r.resize(2*len(*buf), e)
	}
	return buf
}

// resize moves what is held before e to a buffer of n places.
func (r *ring) resize(n int, e *Entry) *[]atomic.Pointer[Entry] {
	buf := make([]atomic.Pointer[Entry], n)
	for o := r.base.Load(); o < e.Offset; o++ {
		buf[o&uint64(n-1)].Store(r.at(e.Epoch, o))
	}
	r.buf.Store(&buf)
	return &buf
}

// evict drops the oldest entry.
func (r *ring) evict(buf *[]atomic.Pointer[Entry]) {
	base := r.base.Load()
	place := &(*buf)[base&uint64(len(*buf)-1)]
	if e := place.Load(); e != nil {
		r.bytes -= e.Size()
		if r.latest != nil && r.latest[e.Key] == e {
			delete(r.latest, e.Key)
		}
	}
	r.base.Store(base + 1)
	place.Store(nil)
}

// expire drops the entries that were committed before oldest, in milliseconds since 1970.
func (r *ring) expire(oldest int64) {
	buf, top := r.buf.Load(), r.top.Load()
	if buf == nil || top == nil {
		return
	}
	for o := r.base.Load(); o <= top.Offset; o++ {
		if e := r.at(top.Epoch, o); e == nil || e.UnixMS >= oldest {
			return
		}
		r.evict(buf)
	}
}

// shrink keeps only as many of the newest entries as the smallest buffer has places.
func (r *ring) shrink() {
	buf := r.buf.Load()
	top := r.top.Load()
	if buf == nil || top == nil || len(*buf) == minRingEntries {
		return
	}
	for top.Offset-r.base.Load() >= minRingEntries {
		r.evict(buf)
	}
	small := make([]atomic.Pointer[Entry], minRingEntries)
	for o := r.base.Load(); o <= top.Offset; o++ {
		small[o&uint64(minRingEntries-1)].Store(r.at(top.Epoch, o))
	}
	r.buf.Store(&small)
}
