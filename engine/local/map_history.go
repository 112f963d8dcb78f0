package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// mapPage reads the latest entries of a map's keys, in the order of versions.
//
// A change deletes the entry before it, and the iterator may see that before the change is committed. So the page is that
// of the moment at which the iterator was opened, and waits until all of it is committed.
func (e *Engine) mapPage(ctx context.Context, ch *channel, q engine.Query) (engine.Page, error) {
	if q.Before != nil {
		return engine.Page{}, engine.ErrBadPosition
	}
	it, err := e.store.entries(ch.state().record.id, 1)
	if err != nil {
		return engine.Page{}, err
	}
	defer it.Close()
	state, err := newestOf(ctx, ch, it)
	if err != nil {
		return engine.Page{}, fmt.Errorf("read map: %w", err)
	}
	page, ok := beginMapPage(state, q)
	if !ok {
		return page, nil
	}
	s := mapScan{state: state, fresh: page.Start.Offset == 0, query: q, now: e.nowMS(), run: e.store.run}
	if err := s.read(it, page.Start.Offset+1); err != nil {
		return engine.Page{}, fmt.Errorf("read map: %w", err)
	}
	page.Publications, page.More = s.pubs, s.more
	if s.more {
		page.End = s.end
	}
	return page, nil
}

// newestOf returns the committed state of a map at the newest entry that the iterator sees.
func newestOf(ctx context.Context, ch *channel, it *pebble.Iterator) (logState, error) {
	if !it.Last() {
		return ch.state(), it.Error()
	}
	offset := entryOffset(it.Key())
	state, err := ch.awaitCommit(ctx, offset)
	if err != nil {
		return state, err
	}
	if state.top > offset {
		v, err := it.ValueAndErr()
		if err != nil {
			return state, err
		}
		return state, loadMapTop(&state, offset, v)
	}
	return state, nil
}

// beginMapPage returns the page without publications, and false if that is the answer.
func beginMapPage(state logState, q engine.Query) (engine.Page, bool) {
	top := state.position()
	page := engine.Page{Top: top, End: top, Complete: true, Keys: state.keys}
	page.Start = engine.Position{Epoch: state.record.epoch}
	switch since := q.Since; {
	case since == nil:
	case foreign(state, *since):
		page.Complete = false
	case since.Offset != 0 && since.Offset < state.lost:
		page.Complete, page.Evicted = false, true
	default:
		page.Start = *since
	}
	return page, page.Complete
}

// mapScan gathers a page of a map.
type mapScan struct {
	state logState
	query engine.Query
	fresh bool // the reader knows nothing yet
	now   int64
	run   uint64

	pubs []*engine.Publication
	end  engine.Position
	more bool
	size pageSize
}

func (s *mapScan) read(it *pebble.Iterator, from uint64) error {
	full := false
	for ok := it.SeekGE(entryKey(s.state.record.id, from)); ok; ok = it.Next() {
		offset := entryOffset(it.Key())
		if offset > s.state.top {
			break // of a batch that failed
		}
		if full {
			s.more = true
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		p, m, err := decodeMapEntry(engine.Position{Epoch: s.state.record.epoch, Offset: offset}, slices.Clone(v))
		if err != nil {
			return err
		}
		full = s.add(p, m)
	}
	return it.Error()
}

// add takes an entry into the page and reports whether the page is full. Keys that are to be treated as absent are left
// out, and so are tombstones for a reader who knows nothing yet.
func (s *mapScan) add(p *engine.Publication, m mapHeader) (full bool) {
	s.end = p.Position
	if m.expired(s.now, s.run) || m.gone && s.fresh {
		return false
	}
	s.pubs = append(s.pubs, p)
	return s.size.full(p, s.query.MaxBytes) || len(s.pubs) >= max(1, s.query.Limit)
}
