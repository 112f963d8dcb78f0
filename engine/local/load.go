package local

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// loadLog reads a channel's state, and the offset of the oldest entry that is not deleted. A channel that the store does
// not know gets the epoch that it will be created with; loose says whether it would be created without waiting for the
// disk.
func (s *store) loadLog(name string, loose bool) (state logState, oldest uint64, err error) {
	v, found, err := s.get(channelKey(name))
	if err != nil {
		return logState{}, 0, err
	}
	if !found {
		return s.absentLog(name, loose), 1, nil
	}
	record, err := decodeChannelRecord(v)
	if err != nil {
		return logState{}, 0, fmt.Errorf("load channel %q: %w", name, err)
	}
	state = logState{record: record, first: 1}
	if record.loose && record.generation != s.generation {
		state.record.epoch = s.seed.next(record.epoch, s.generation)
		state.stale = true
	}
	if oldest, err = s.loadEnds(&state); err != nil {
		return logState{}, 0, fmt.Errorf("load channel %q: %w", name, err)
	}
	return state, oldest, nil
}

func (s *store) absentLog(name string, loose bool) logState {
	generation := uint64(0)
	if loose { // it may have been there, and lost with all that was in it
		generation = s.generation
	}
	return logState{record: channelRecord{epoch: s.seed.epoch(name, generation)}, first: 1, stale: true}
}

// loadEnds reads where the log starts and ends.
func (s *store) loadEnds(state *logState) (oldest uint64, err error) {
	it, err := s.entries(state.record.id, 0)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	more := it.First()
	if more && entryOffset(it.Key()) == 0 {
		if err := loadFloor(state, it); err != nil {
			return 0, err
		}
		more = it.Next()
	}
	oldest = state.first
	if more {
		oldest = entryOffset(it.Key())
	}
	if more && it.Last() {
		if err := loadTop(state, it); err != nil {
			return 0, err
		}
	}
	return oldest, it.Error()
}

func loadFloor(state *logState, it *pebble.Iterator) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	f, err := decodeFloorRecord(v)
	state.first, state.top, state.tag, state.bytes, state.unixMS = f.first, f.top, f.tag, f.bytes, f.unixMS
	return err
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
	p, h, err := decodeEntry(engine.Position{Epoch: state.record.epoch, Offset: offset}, v)
	if err != nil {
		return err
	}
	state.first = max(state.first, offset-h.retained)
	state.top, state.tag, state.bytes, state.unixMS = offset, h.tag, h.bytes+int64(p.Size()), h.unixMS
	return nil
}

// entries returns an iterator over the channel's entries from an offset on; from offset zero its floor comes first.
func (s *store) entries(id, from uint64) (*pebble.Iterator, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: entryKey(id, from), UpperBound: entryKey(id+1, 0)})
	if err != nil {
		return nil, fmt.Errorf("read store: %w", err)
	}
	return it, nil
}
