package local

import (
	"encoding/binary"
	"fmt"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
)

const mapEntryVersion = 2

// mapHeader is what an entry of a map has besides those of a log.
type mapHeader struct {
	keys      int    // how many keys the map has from this change on
	expiresMS int64  // when the key is to be deleted; zero: never
	owner     string // the session that the key belongs to; empty: none
	run       uint64 // of the store when an owned key was set
	gone      bool   // the change is a deletion
}

// expired reports whether the key is to be treated as absent: it is past its time, or its owner was of an earlier run.
func (h *mapHeader) expired(now int64, run uint64) bool {
	return h.expiresMS != 0 && h.expiresMS <= now || h.owner != "" && h.run != run
}

// appendMapEntry appends an entry of a map: the header of a log's entry, its own, the key, the sender, and the body.
func appendMapEntry(dst []byte, h header, m mapHeader, p *engine.Publication, body []byte) []byte {
	dst = append(dst, mapEntryVersion)
	dst = binary.LittleEndian.AppendUint32(dst, h.prevTag)
	dst = binary.LittleEndian.AppendUint32(dst, h.tag)
	dst = binary.AppendUvarint(dst, uint64(h.unixMS))
	dst = binary.AppendUvarint(dst, uint64(m.keys))
	dst = binary.AppendUvarint(dst, uint64(m.expiresMS))
	dst = binary.AppendUvarint(dst, m.run)
	dst = packed.AppendBytes(dst, m.owner)
	var flags byte
	if m.gone {
		flags = 1
	}
	dst = append(dst, flags)
	dst = packed.AppendBytes(dst, p.Key)
	dst = packed.AppendBytes(dst, p.Sender)
	return append(dst, body...)
}

// decodeMapEntry reads an entry of a map at pos, whose tag it fills in. The data aliases value.
func decodeMapEntry(pos engine.Position, value []byte) (*engine.Publication, mapHeader, error) {
	d := newDecoder(value)
	d.version(mapEntryVersion)
	p := &engine.Publication{PrevTag: d.Uint32(), Position: pos}
	p.Tag, p.UnixMS = d.Uint32(), d.number()
	m := mapHeader{keys: int(d.number()), expiresMS: d.number(), run: d.Uvarint(), owner: d.Text(), gone: d.Byte() == 1}
	p.Key, p.Gone, p.Sender = d.Text(), m.gone, d.Text()
	d.body(p)
	if !d.OK() || p.Key == "" {
		return nil, mapHeader{}, fmt.Errorf("%w: entry %d of a map", errCorrupt, pos.Offset)
	}
	return p, m, nil
}

// appendMapBody appends what tags chain and idempotency ids are compared by: the change, and what the publisher said. Not the
// owner: a client that repeats a change may have another session by then.
func appendMapBody(dst []byte, c *engine.MapChange, p *engine.Publication) []byte {
	dst = packed.AppendBytes(dst, c.Key)
	version := uint64(0)
	if c.IfVersion != nil {
		version = *c.IfVersion + 1
	}
	dst = binary.AppendUvarint(dst, version)
	dst = binary.AppendUvarint(dst, uint64(c.TTL))
	if c.Delete {
		return append(dst, 1)
	}
	return appendBody(append(dst, 0), p)
}
