package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// History implements engine.Log.
func (e *Engine) History(ctx context.Context, channel string, q engine.Query) (engine.Page, error) {
	kind := e.options.Rules(channel).Kind
	ch, rules, leave, err := e.openChannel(channel, max(kind, engine.KindLog))
	if err != nil {
		return engine.Page{}, err
	}
	defer leave()
	if kind == engine.KindMap {
		return e.mapPage(ctx, ch, q)
	}
	if err := e.expire(ch, rules); err != nil {
		return engine.Page{}, fmt.Errorf("read history: %w", err)
	}
	page, err := e.page(ch, q)
	if err != nil {
		return engine.Page{}, fmt.Errorf("read history: %w", err)
	}
	return page, nil
}

func (e *Engine) page(ch *channel, q engine.Query) (engine.Page, error) {
	state, recent := ch.snapshot()
	w, page := plan(state, q)
	if w.empty() {
		return page, nil
	}
	if pubs, ok := w.fromRing(recent); ok {
		return w.finish(page, pubs), nil
	}
	it, err := e.store.entries(state.record.id, 1)
	if err != nil {
		return engine.Page{}, err
	}
	defer it.Close()
	// What was dropped since may be deleted in the store that the iterator sees; what was committed is there.
	state.first = max(state.first, ch.first())
	if w, page = plan(state, q); w.empty() {
		return page, nil
	}
	pubs, err := w.fromStore(it, state.record)
	if err != nil {
		return engine.Page{}, err
	}
	return w.finish(page, pubs), nil
}

// window is the part of a log that a query asks for: the offsets from..to, of which as many are read as limits allow,
// from the end that the direction says.
type window struct {
	state    logState
	query    engine.Query
	from, to uint64
	backward bool
}

func (w *window) empty() bool { return w.from > w.to }

// plan decides by offsets what to read. If the window is empty the page is the answer.
func plan(state logState, q engine.Query) (window, engine.Page) {
	w := window{state: state, query: q, from: state.first, to: state.top, backward: q.Since == nil && q.Last == 0}
	top := state.position()
	page := engine.Page{Start: top, End: top, Top: top, Complete: true}
	named := q.Since
	if named == nil {
		named = q.Before
	}
	if named == nil {
		if q.Last > 0 && w.to > uint64(q.Last) {
			w.from = max(w.from, w.to-uint64(q.Last)+1)
		}
		return w, page
	}
	nothing := window{from: 1}
	if foreign(state, *named) {
		page.Complete = false
		return nothing, page
	}
	if q.Since != nil {
		w.from = named.Offset + 1
	} else {
		w.to = named.Offset // read too, for its tag
	}
	if w.from < state.first || (w.backward && named.Offset < state.first && state.first > 1) {
		page.Complete, page.Evicted = false, true
		return nothing, page
	}
	if w.empty() {
		page.Start, page.End = *named, *named
	}
	return w, page
}

// foreign reports whether p is not a position of the log, as far as that can be told without reading it.
func foreign(state logState, p engine.Position) bool {
	switch {
	case p.Epoch != state.record.epoch || p.Offset > state.top:
		return true
	case p.Offset == state.top:
		return p.Tag != state.tag
	}
	return p.Offset == 0 && p.Tag != 0
}

// limit returns how many entries to read at most.
func (w *window) limit() int {
	n := max(1, w.query.Limit)
	if w.query.Before != nil {
		n++ // the named one
	}
	return n
}

// fromRing reads the window from the newest publications, if it is among them.
func (w *window) fromRing(recent []*engine.Publication) ([]*engine.Publication, bool) {
	if len(recent) == 0 {
		return nil, false
	}
	oldest := recent[0].Offset
	from, to := w.bounds()
	if from < oldest {
		return nil, false
	}
	i, j := from-oldest, to-oldest+1
	return recent[i:j:j], true
}

// bounds returns the offsets that the limit leaves of the window.
func (w *window) bounds() (from, to uint64) {
	n := uint64(w.limit())
	if w.to-w.from < n {
		return w.from, w.to
	}
	if w.backward {
		return w.to - n + 1, w.to
	}
	return w.from, w.from + n - 1
}

// fromStore reads the window from an iterator over the channel's entries, oldest first.
func (w *window) fromStore(it *pebble.Iterator, r channelRecord) ([]*engine.Publication, error) {
	from, to := w.bounds()
	pubs := make([]*engine.Publication, 0, to-from+1)
	step, offset := it.Next, from
	if w.backward {
		step, offset = it.Prev, to
	}
	var size pageSize
	for ok := it.SeekGE(entryKey(r.id, offset)); ok && uint64(len(pubs)) <= to-from; ok = step() {
		p, err := readEntry(it, r.epoch, offset)
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, p)
		if !w.names(p) && size.full(p, w.query.MaxBytes) {
			break
		}
		offset = next(offset, w.backward)
	}
	if err := it.Error(); err != nil {
		return nil, err
	}
	if len(pubs) == 0 {
		return nil, fmt.Errorf("%w: entry %d is missing", errCorrupt, offset)
	}
	if w.backward {
		slices.Reverse(pubs)
	}
	return pubs, nil
}

// names reports whether p is the publication that a backward read starts before.
func (w *window) names(p *engine.Publication) bool {
	return w.query.Before != nil && p.Offset == w.query.Before.Offset
}

// pageSize sums up publications until a page is full.
type pageSize int

func (s *pageSize) full(p *engine.Publication, maxBytes int) bool {
	*s += pageSize(p.Size())
	return maxBytes > 0 && int(*s) >= maxBytes
}

func next(offset uint64, backward bool) uint64 {
	if backward {
		return offset - 1
	}
	return offset + 1
}

func readEntry(it *pebble.Iterator, epoch, offset uint64) (*engine.Publication, error) {
	if got := entryOffset(it.Key()); got != offset {
		return nil, fmt.Errorf("%w: entry %d is missing", errCorrupt, offset)
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return nil, err
	}
	p, _, err := decodeEntry(engine.Position{Epoch: epoch, Offset: offset}, slices.Clone(v))
	return p, err
}

// finish makes the page of what was read, after it compared the named position's tag with the log's.
func (w *window) finish(page engine.Page, pubs []*engine.Publication) engine.Page {
	q, last := w.query, len(pubs)-1
	if q.Since != nil && pubs[0].PrevTag != q.Since.Tag || q.Before != nil && pubs[last].Tag != q.Before.Tag {
		page.Complete = false
		return page
	}
	if q.Before != nil {
		pubs = pubs[:last:last]
	}
	if len(pubs) == 0 {
		return w.beforeOldest(page)
	}
	page.Publications = w.cut(pubs)
	page.Start = before(page.Publications[0])
	page.End = page.Publications[len(page.Publications)-1].Position
	if w.backward {
		page.More = page.Start.Offset >= w.state.first
	} else {
		page.More = page.End.Offset < w.state.top
	}
	return page
}

// beforeOldest is the page before the oldest publication that there is.
func (w *window) beforeOldest(page engine.Page) engine.Page {
	if w.state.first > 1 {
		page.Complete, page.Evicted = false, true
		return page
	}
	page.Start = engine.Position{Epoch: page.Top.Epoch}
	page.End = page.Start
	return page
}

// cut ends the page where it is full.
func (w *window) cut(pubs []*engine.Publication) []*engine.Publication {
	var size pageSize
	if w.backward {
		for i := len(pubs) - 1; i > 0; i-- {
			if size.full(pubs[i], w.query.MaxBytes) {
				return pubs[i:]
			}
		}
		return pubs
	}
	for i, p := range pubs {
		if size.full(p, w.query.MaxBytes) {
			return pubs[: i+1 : i+1]
		}
	}
	return pubs
}

// before returns the position before p.
func before(p *engine.Publication) engine.Position {
	return engine.Position{Epoch: p.Epoch, Offset: p.Offset - 1, Tag: p.PrevTag}
}
