package local

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot/earshot/engine"
)

const (
	// tendAtOnce is how many entries of an index one round of upkeep looks at.
	tendAtOnce = 1_000
	// tombstonesFor and maxTombstones bound for how long, and in what number, a map remembers deleted keys. A reader that
	// was away for longer reads all keys again.
	tombstonesFor = time.Hour
	maxTombstones = 1_000
)

// expireKeys deletes the keys whose time has come, and, once after the start, those whose owners were of an earlier run.
func (e *Engine) expireKeys(ctx context.Context, now int64) error {
	due, err := e.store.places([]byte{prefixExpiry}, expiryKey(now+1, 0, 0), tendAtOnce)
	if err != nil {
		return fmt.Errorf("look for expired keys: %w", err)
	}
	e.tendAll(ctx, due)
	if e.disowned {
		return nil
	}
	owned, err := e.store.places(append([]byte{prefixOwned}, e.disownFrom...), []byte{prefixOwned + 1}, tendAtOnce)
	if err != nil {
		return fmt.Errorf("look for keys of earlier runs: %w", err)
	}
	e.tendAll(ctx, owned)
	if e.disowned = len(owned) < tendAtOnce; !e.disowned {
		e.disownFrom = append(owned[len(owned)-1].index[1:], 0)
	}
	return nil
}

func (e *Engine) tendAll(ctx context.Context, places []place) {
	for _, one := range places {
		e.tend(ctx, one)
	}
}

// place is an entry that an index names.
type place struct {
	index      []byte // its key in the index
	channel    string
	id, offset uint64
}

// places reads up to n places of an index. (They are read before anything is proposed: committing changes the index.)
func (s *store) places(lower, upper []byte, n int) (found []place, err error) {
	it, err := s.iterate(lower, upper)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for more := it.First(); more && len(found) < n; more = it.Next() {
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
	places, err := e.store.places(tombstoneKey(id, 0), tombstoneKey(id+1, 0), 10*maxTombstones)
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
