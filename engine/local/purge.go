package local

import (
	"context"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// purgeAt is how many dropped entries of a channel gather before they are deleted, in chunks of purgeChunk.
const (
	purgeAt    = 64
	purgeChunk = 256
	// purgeRange is from how many on one range deletion is cheaper than deleting each: Pebble goes through all range
	// deletions of its newest table again whenever there is a new one.
	purgeRange = 2048
)

// purgeList holds the channels with dropped entries to delete, each once: see channel.purging.
type purgeList struct {
	mu       sync.Mutex
	channels []*channel
	work     chan struct{} // holds a token when the list may not be empty
}

func (l *purgeList) add(c *channel) {
	l.mu.Lock()
	l.channels = append(l.channels, c)
	l.mu.Unlock()
	select {
	case l.work <- struct{}{}:
	default:
	}
}

func (l *purgeList) next() *channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.channels) == 0 {
		return nil
	}
	c := l.channels[0]
	l.channels = l.channels[1:]
	return c
}

// garbageLocked is how many entries that readers no longer see are still in the store.
func (c *channel) garbageLocked() uint64 { return c.log.first - min(c.purged, c.log.first) }

// requestPurgeLocked puts the channel on the list unless it has fewer dropped entries than atLeast.
func (e *Engine) requestPurgeLocked(c *channel, atLeast uint64) {
	if !c.purging && c.garbageLocked() >= atLeast {
		c.purging = true
		e.purges.add(c)
	}
}

func (e *Engine) requestPurge(c *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.requestPurgeLocked(c, 1)
}

// lookUpPurged finds out where the entries in the store begin, once after each load of the channel.
func (e *Engine) lookUpPurged(c *channel) error {
	c.mu.Lock()
	id, first, known := c.log.record.id, c.purged, c.lookedUp
	c.mu.Unlock()
	if known {
		return nil
	}
	oldest, err := e.store.oldestEntry(id, first)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lookedUp {
		c.purged, c.lookedUp = oldest, true
	}
	return nil
}

// purge deletes what retention dropped until the list is empty.
func (e *Engine) purge(ctx context.Context) {
	for ctx.Err() == nil {
		c := e.purges.next()
		if c == nil {
			return
		}
		if err := e.purgeChannel(ctx, c); err != nil && e.store.health.failure() == nil {
			e.log.Warn("cannot delete old publications", "channel", c.name, "error", err)
		}
	}
}

func (e *Engine) purgeChannel(ctx context.Context, c *channel) error {
	defer e.purged(c)
	if err := e.lookUpPurged(c); err != nil {
		return err
	}
	for ctx.Err() == nil {
		more, err := e.purgeChunk(c)
		if !more || err != nil {
			return err
		}
	}
	return nil
}

// purged lets the channel leave memory again.
func (e *Engine) purged(c *channel) {
	c.mu.Lock()
	c.purging = false
	c.mu.Unlock()
	e.table.release(e.table.acquire(c.name))
}

// purgeChunk deletes some entries, and in the same batch says where the log starts, unless its newest entry says so.
func (e *Engine) purgeChunk(c *channel) (more bool, err error) {
	e.floors.Lock()
	defer e.floors.Unlock()
	c.mu.Lock()
	state, from, saved := c.log, c.purged, c.saved
	c.mu.Unlock()
	to := state.first
	if to-from < purgeRange {
		to = min(to, from+purgeChunk)
	}
	err = e.store.put(false, func(b *pebble.Batch) error {
		if state.first > saved {
			if err := b.Set(floorKey(state.record.id), state.floor(state.first).encode(), nil); err != nil {
				return err
			}
		}
		return deleteEntries(b, state.record.id, from, to)
	})
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved, c.purged = max(c.saved, state.first), to
	return c.garbageLocked() > 0, nil
}

// deleteEntries deletes entries of a log. Each was set once, so a deletion can vanish together with what it deletes, where the
// two first meet: in a channel that is written much, before either leaves the memtable. An ordinary one would be carried
// down to the lowest level.
func deleteEntries(b *pebble.Batch, id, from, to uint64) error {
	if to-from >= purgeRange {
		return b.DeleteRange(entryKey(id, from), entryKey(id, to), nil)
	}
	var key [entryKeyBytes]byte
	for offset := from; offset < to; offset++ {
		if err := b.SingleDelete(appendEntryKey(key[:0], id, offset), nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *logState) floor(first uint64) floorRecord {
	return floorRecord{first: first, top: s.top, tag: s.tag, bytes: s.bytes, unixMS: s.unixMS}
}

// Trim implements engine.Log.
func (e *Engine) Trim(_ context.Context, channel string, p engine.Position) error {
	ch, _, leave, err := e.openLog(channel)
	if err != nil {
		return err
	}
	defer leave()
	e.floors.Lock()
	defer e.floors.Unlock()
	state := ch.state()
	if err := e.verify(state, p); err != nil {
		return err
	}
	if p.Offset < state.first {
		return nil // it is gone already
	}
	err = e.store.put(true, func(b *pebble.Batch) error {
		return b.Set(floorKey(state.record.id), state.floor(p.Offset+1).encode(), nil)
	})
	if err != nil {
		return fmt.Errorf("trim channel: %w", err)
	}
	ch.trimmed(p.Offset + 1)
	e.requestPurge(ch)
	return nil
}

func (c *channel) trimmed(first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raiseFirstLocked(first)
	c.saved = max(c.saved, first)
}

// verify reports ErrBadPosition unless p is, or once was, a position of the log.
func (e *Engine) verify(state logState, p engine.Position) error {
	if p.Epoch != state.record.epoch || p.Offset > state.top || (p.Offset == 0) != (p.Tag == 0) {
		return engine.ErrBadPosition
	}
	if p.Offset < state.first {
		return nil
	}
	v, found, err := e.store.get(entryKey(state.record.id, p.Offset))
	if err != nil || !found {
		return fmt.Errorf("%w: entry %d: %w", errCorrupt, p.Offset, err)
	}
	if h, err := decodeHeader(v); err != nil || h.tag != p.Tag {
		return engine.ErrBadPosition
	}
	return nil
}
