package local

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// loadLog reads a channel's state. A channel that the store does not know gets the epoch that it will be created with;
// loose says whether it would be created without waiting for the disk.
func (s *store) loadLog(name string, kind engine.Kind, loose bool) (logState, error) {
	v, found, err := s.get(channelKey(name))
	if err != nil {
		return logState{}, err
	}
	if !found {
		return s.absentLog(name, kind, loose), nil
	}
	record, err := decodeChannelRecord(v)
	if err != nil {
		return logState{}, fmt.Errorf("load channel %q: %w", name, err)
	}
	if record.kind != kind {
		return logState{}, fmt.Errorf("channel %q was kept as another kind: give its namespace another name", name)
	}
	state := logState{record: record, first: 1}
	if record.loose && record.generation != s.generation {
		state.record.epoch = s.seed.next(record.epoch, s.generation)
		state.stale = true
	}
	if err := s.loadEnds(&state); err != nil {
		return logState{}, fmt.Errorf("load channel %q: %w", name, err)
	}
	return state, nil
}

func (s *store) absentLog(name string, kind engine.Kind, loose bool) logState {
	generation := uint64(0)
	if loose { // it may have been there, and lost with all that was in it
		generation = s.generation
	}
	return logState{record: channelRecord{epoch: s.seed.epoch(name, generation), kind: kind}, first: 1, stale: true}
}

// loadEnds reads where the log starts and ends. (Most channels have no floor, which a filter tells; looking for the
// oldest entry instead would read another block.)
func (s *store) loadEnds(state *logState) error {
	v, found, err := s.get(floorKey(state.record.id))
	if err != nil {
		return err
	}
	if found {
		f, err := decodeFloorRecord(v)
		if err != nil {
			return err
		}
		state.first, state.top, state.tag, state.bytes, state.unixMS = f.first, f.top, f.tag, f.bytes, f.unixMS
	}
	if state.record.kind == engine.KindMap { // the entries of its keys are retained wherever they are
		state.first, state.lost = 1, state.first-1
	}
	it, err := s.entries(state.record.id, 1)
	if err != nil {
		return err
	}
	defer it.Close()
	if it.Last() {
		if err := loadTop(state, it); err != nil {
			return err
		}
	}
	return it.Error()
}

// oldestEntry returns the offset of the oldest entry that is not deleted, or that of the first if there is none.
func (s *store) oldestEntry(id, first uint64) (uint64, error) {
	it, err := s.entries(id, 1)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	if it.First() {
		first = min(first, entryOffset(it.Key()))
	}
	return first, it.Error()
}

func loadTop(state *logState, it *pebble.Iterator) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	offset := entryOffset(it.Key())
	if offset < state.top {
		return nil
	}
	if state.record.kind == engine.KindMap {
		return loadMapTop(state, offset, v)
	}
	p, h, err := decodeEntry(engine.Position{Epoch: state.record.epoch, Offset: offset}, v)
	if err != nil {
		return err
	}
	state.first = max(state.first, offset-h.retained)
	state.top, state.tag, state.bytes, state.unixMS = offset, h.tag, h.bytes+int64(p.Size()), h.unixMS
	return nil
}

func loadMapTop(state *logState, offset uint64, v []byte) error {
	p, m, err := decodeMapEntry(engine.Position{Offset: offset}, v)
	if err != nil {
		return err
	}
	state.top, state.tag, state.unixMS, state.keys = offset, p.Tag, p.UnixMS, m.keys
	return nil
}

// entries returns an iterator over the channel's entries from an offset on.
func (s *store) entries(id, from uint64) (*pebble.Iterator, error) {
	return s.iterate(entryKey(id, from), entryKey(id+1, 0))
}

// iterate returns an iterator over the keys from lower to before upper.
func (s *store) iterate(lower, upper []byte) (*pebble.Iterator, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, fmt.Errorf("read store: %w", err)
	}
	return it, nil
}
