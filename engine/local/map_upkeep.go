package local

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot/earshot/engine"
)

const (
	// tendAtOnce is how many entries of maps one round of upkeep tends.
	tendAtOnce = 1_000
	// tombstonesFor and maxTombstones bound for how long, and in what number, a map remembers deleted keys. A reader that
	// was away for longer reads all keys again.
	tombstonesFor = time.Hour
	maxTombstones = 1_000
)

// expireKeys deletes the keys whose time has come, and, until all are found, those whose owners were of an earlier run.
func (e *Engine) expireKeys(ctx context.Context, now int64) error {
	if err := e.tendAll(ctx, []byte{prefixExpiry}, expiryKey(now+1, 0, 0)); err != nil {
		return fmt.Errorf("look for expired keys: %w", err)
	}
	if e.disowned {
		return nil
	}
	e.disowned = true
	if err := e.tendAll(ctx, []byte{prefixOwned}, []byte{prefixOwned + 1}); err != nil {
		return fmt.Errorf("look for keys of earlier runs: %w", err)
	}
	return nil
}

// tendAll has the entries tended that an index names from lower to upper.
func (e *Engine) tendAll(ctx context.Context, lower, upper []byte) error {
	places, err := e.store.places(lower, upper)
	for _, one := range places {
		e.tend(ctx, one)
	}
	return err
}

// place is an entry that an index names.
type place struct {
	index      []byte // its key in the index
	channel    string
	id, offset uint64
}

// places reads an index. (It is read before anything is proposed: committing changes it.)
func (s *store) places(lower, upper []byte) (found []place, err error) {
	it, err := s.iterate(lower, upper)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		id, offset, ok := placeOf(it.Key())
		if !ok {
			return found, errCorrupt
		}
		name, err := it.ValueAndErr()
		if err != nil {
			return found, err
		}
		found = append(found, place{append([]byte(nil), it.Key()...), string(name), id, offset})
	}
	return found, it.Error()
}

// tend proposes to do what is due of an entry. If the entry is gone, or cannot be read, its place in the index goes too.
func (e *Engine) tend(ctx context.Context, at place) {
	v, found, err := e.store.get(entryKey(at.id, at.offset))
	var p *engine.Publication
	if found && err == nil {
		p, _, err = decodeMapEntry(engine.Position{Offset: at.offset}, v)
	}
	if p == nil || err != nil {
		if err := e.store.forget(at.index); err != nil {
			e.log.Warn("cannot forget an entry that is gone", "channel", at.channel, "error", err)
		}
		return
	}
	change := &engine.MapChange{Key: p.Key, Delete: true}
	err = e.propose(ctx, engine.Proposal{Channel: at.channel, Map: change}, at.offset, func(_ engine.Receipt, err error) {
		if err != nil {
			e.log.Warn("cannot delete a key", "channel", at.channel, "error", err)
		}
	})
	if err != nil {
		e.log.Warn("cannot delete a key", "channel", at.channel, "error", err)
	}
}

// sweepMap drops the tombstones of a map that are too old or too many.
func (e *Engine) sweepMap(ctx context.Context, name string) {
	ch, _, leave, err := e.openChannel(name, engine.KindMap)
	if err != nil {
		e.log.Warn("cannot drop tombstones", "channel", name, "error", err)
		return
	}
	defer leave()
	id := ch.state().record.id
	places, err := e.store.places(tombstoneKey(id, 0), tombstoneKey(id+1, 0))
	if err != nil {
		e.log.Warn("cannot drop tombstones", "channel", name, "error", err)
		return
	}
	for i, one := range places {
		if len(places)-i <= maxTombstones && !e.olderThan(one, tombstonesFor) {
			return
		}
		one.channel = name
		e.tend(ctx, one)
	}
}

// olderThan reports whether an entry of a map was committed so long ago.
func (e *Engine) olderThan(at place, age time.Duration) bool {
	v, found, err := e.store.get(entryKey(at.id, at.offset))
	if !found || err != nil {
		return true
	}
	p, _, err := decodeMapEntry(engine.Position{Offset: at.offset}, v)
	return err != nil || p.UnixMS < e.nowMS()-age.Milliseconds()
}
