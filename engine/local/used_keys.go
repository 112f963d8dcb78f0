package local

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// usedKeys are the idempotency ids that a batch uses first. They come last in the batch, in the order of their keys: the
// store looks for the place of a key from that of the one before it, and an entry's is next to the entry's before.
type usedKeys struct {
	list  []usedKey
	index map[keyID]int // into list
}

type usedKey struct {
	segment uint64
	id      keyID
	record  keyRecord
}

// maxUsedKeys is the most that room is kept for between batches.
const maxUsedKeys = 1024

func (u *usedKeys) reset() {
	if u.index == nil || len(u.list) > maxUsedKeys {
		u.list, u.index = nil, make(map[keyID]int)
		return
	}
	u.list = u.list[:0]
	clear(u.index)
}

func (u *usedKeys) find(id keyID) (keyRecord, bool) {
	i, ok := u.index[id]
	if !ok {
		return keyRecord{}, false
	}
	return u.list[i].record, true
}

func (u *usedKeys) add(segment uint64, id keyID, r keyRecord) {
	u.index[id] = len(u.list)
	u.list = append(u.list, usedKey{segment, id, r})
}

// write puts the ids into the batch. Find and add must not be called any more before reset.
func (u *usedKeys) write(b *pebble.Batch) error {
	slices.SortFunc(u.list, func(a, b usedKey) int { return bytes.Compare(a.id[:], b.id[:]) })
	var key [1 + 8 + 16]byte
	var value [80]byte
	for i := range u.list {
		k := &u.list[i]
		if err := b.Set(appendIdempotencyKey(key[:0], k.segment, k.id), k.record.appendTo(value[:0]), nil); err != nil {
			return err
		}
	}
	return nil
}
