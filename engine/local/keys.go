package local

import "encoding/binary"

// The first byte of a key says what the value is. Numbers are big-endian, so that they sort.
//
//	c name               channelRecord
//	e id[8] offset[8]    entry
//	f id[8]              floorRecord: how far a channel was trimmed
//	k segment[8] id[16]  keyRecord: an idempotency id that was used
//	s segment[8]         segmentRecord: a time-ordered part of the idempotency ids
//	m name               a value of the store itself
const (
	prefixChannel = 'c'
	prefixEntry   = 'e'
	prefixFloor   = 'f'
	prefixKey     = 'k'
	prefixSegment = 's'
	prefixMeta    = 'm'
)

// Keys of the store itself.
var (
	keyFormat     = []byte{prefixMeta, 'f'} // version of the layout
	keySeed       = []byte{prefixMeta, 's'} // random bytes that epochs are derived from
	keyGeneration = []byte{prefixMeta, 'g'} // number of unclean stops
	keyClean      = []byte{prefixMeta, 'c'} // present while the store is closed after a clean stop
	keyRun        = []byte{prefixMeta, 'r'} // number of times that the store was opened
	keyNextID     = []byte{prefixMeta, 'i'} // channel ids from here on were never given
)

const entryKeyBytes = 17

func channelKey(name string) []byte { return append([]byte{prefixChannel}, name...) }

func floorKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{prefixFloor}, id) }

func appendEntryKey(dst []byte, id, offset uint64) []byte {
	dst = append(dst, prefixEntry)
	dst = binary.BigEndian.AppendUint64(dst, id)
	return binary.BigEndian.AppendUint64(dst, offset)
}

func entryKey(id, offset uint64) []byte {
	return appendEntryKey(make([]byte, 0, entryKeyBytes), id, offset)
}

// entryOffset reads the offset out of an entry's key.
func entryOffset(key []byte) uint64 {
	if len(key) != entryKeyBytes {
		return 0
	}
	return binary.BigEndian.Uint64(key[9:])
}

// segmentNumber reads the number out of a segment's key.
func segmentNumber(key []byte) uint64 {
	if len(key) != 9 {
		return 0
	}
	return binary.BigEndian.Uint64(key[1:])
}

func segmentKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixSegment}, number)
}

// segmentStart is the least key of the segment's idempotency ids.
func segmentStart(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixKey}, number)
}

func idempotencyKey(segment uint64, id keyID) []byte {
	return appendIdempotencyKey(make([]byte, 0, 25), segment, id)
}

func appendIdempotencyKey(dst []byte, segment uint64, id keyID) []byte {
	dst = append(dst, prefixKey)
	dst = binary.BigEndian.AppendUint64(dst, segment)
	return append(dst, id[:]...)
}
