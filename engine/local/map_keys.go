package local

import "encoding/binary"

// Keys of maps, besides the entries:
//
//	o id[8] offset[8]          name of the channel: an entry whose key has an owner
//	t id[8] offset[8]          empty: an entry that is a tombstone
//	x ms[8] id[8] offset[8]    name of the channel: an entry that expires then
//	y id[8] key                offset[8] of the key's latest entry
const (
	prefixOwned     = 'o'
	prefixTombstone = 't'
	prefixExpiry    = 'x'
	prefixMapKey    = 'y'
)

func mapKey(id uint64, key string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{prefixMapKey}, id), key...)
}

func ownedKey(id, offset uint64) []byte { return placeKey(prefixOwned, id, offset) }

func tombstoneKey(id, offset uint64) []byte { return placeKey(prefixTombstone, id, offset) }

func expiryKey(ms int64, id, offset uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{prefixExpiry}, uint64(ms))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id), offset)
}

func placeKey(prefix byte, id, offset uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{prefix}, id)
	return binary.BigEndian.AppendUint64(b, offset)
}

// placeOf reads channel id and offset off the end of a key.
func placeOf(key []byte) (id, offset uint64, ok bool) {
	if len(key) < 17 {
		return 0, 0, false
	}
	end := key[len(key)-16:]
	return binary.BigEndian.Uint64(end), binary.BigEndian.Uint64(end[8:]), true
}
