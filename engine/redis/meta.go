package redis

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/earshot/earshot/engine"
)

// meta is what Redis holds of a channel besides its entries: META in lib.lua.
type meta struct {
	top   engine.Position
	first uint64 // offset of the oldest entry that is kept; top's + 1 if there is none
}

func decodeMeta(value []byte) (meta, error) {
	d := newDecoder(value)
	var m meta
	m.top.Epoch, m.top.Offset, m.top.Tag = d.Uint64(), uint64(d.number()), d.Uint32()
	d.number() // time of the top
	d.number() // bytes up to the top
	m.first = uint64(d.number())
	d.number() // bytes before the first
	d.number() // time of the first
	d.Byte()   // whether the entries have a ttl
	if !d.OK() || m.top.Epoch == 0 || m.first > m.top.Offset+1 {
		return meta{}, fmt.Errorf("%w: channel's meta", errCorrupt)
	}
	return m, nil
}

// newEpoch returns a random epoch as the scripts take it.
func newEpoch() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	if binary.LittleEndian.Uint64(b[:]) == 0 {
		b[0] = 1
	}
	return string(b[:])
}

func epochArg(epoch uint64) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], epoch)
	return string(b[:])
}
