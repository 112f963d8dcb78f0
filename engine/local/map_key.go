package local

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/earshot/earshot/engine"
)

// Key implements engine.Log.
func (e *Engine) Key(ctx context.Context, channel, key string) (*engine.Publication, error) {
	ch, _, leave, err := e.openChannel(channel, engine.KindMap)
	if err != nil {
		return nil, err
	}
	defer leave()
	record := ch.state().record
	offset, value, err := e.store.newest(ctx, record.id, key)
	if offset == 0 || err != nil {
		return nil, err
	}
	p, m, err := decodeMapEntry(engine.Position{Epoch: record.epoch, Offset: offset}, value)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if state, err := ch.awaitCommit(ctx, offset); err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	} else if state.top < offset {
		return nil, engine.ErrUnavailable // of a batch that failed
	}
	if m.gone || m.expired(e.nowMS(), e.store.run) {
		return nil, nil
	}
	return p, nil
}

// newest returns the newest entry of a key of a map, as the store has it: it may not be committed yet. Offset zero: there is
// none.
func (s *store) newest(ctx context.Context, id uint64, key string) (offset uint64, entry []byte, err error) {
	for ctx.Err() == nil {
		v, found, err := s.get(mapKey(id, key))
		if !found || err != nil {
			return 0, nil, err
		}
		if len(v) != 8 {
			return 0, nil, fmt.Errorf("%w: key of a map", errCorrupt)
		}
		offset = binary.BigEndian.Uint64(v)
		entry, found, err = s.get(entryKey(id, offset))
		if found || err != nil {
			return offset, entry, err
		}
		// The key changed between the two reads, and the entry is another one now.
	}
	return 0, nil, ctx.Err()
}
