package local

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
)

const entryVersion = 1

// header is the part of an entry that retention needs.
type header struct {
	retained uint64 // publications before this one that retention kept when it was committed
	bytes    int64  // sum of the sizes of all publications of the channel before this one
	prevTag  uint32
	tag      uint32
	unixMS   int64
}

// Bits of the byte before the data.
const flagBinary = 1

// appendBody appends what the publisher said, in the form that entries keep, tags chain and keys are compared by.
func appendBody(dst []byte, p *engine.Publication) []byte {
	dst = packed.AppendBytes(dst, p.User)
	dst = packed.AppendBytes(dst, p.Event)
	var flags byte
	if p.Data.Binary {
		flags |= flagBinary
	}
	dst = append(dst, flags)
	dst = packed.AppendBytes(dst, p.Data.Body)
	dst = binary.AppendUvarint(dst, uint64(len(p.Tags)))
	if len(p.Tags) == 0 {
		return dst
	}
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		dst = packed.AppendBytes(dst, k)
		dst = packed.AppendBytes(dst, p.Tags[k])
	}
	return dst
}

// appendEntry appends an entry: the header, the sender, and the body as appendBody made it.
func appendEntry(dst []byte, h header, sender string, body []byte) []byte {
	dst = append(dst, entryVersion)
	dst = binary.AppendUvarint(dst, h.retained)
	dst = binary.AppendUvarint(dst, uint64(h.bytes))
	dst = binary.LittleEndian.AppendUint32(dst, h.prevTag)
	dst = binary.LittleEndian.AppendUint32(dst, h.tag)
	dst = binary.AppendUvarint(dst, uint64(h.unixMS))
	dst = packed.AppendBytes(dst, sender)
	return append(dst, body...)
}

func (d *decoder) header() header {
	d.version(entryVersion)
	return header{retained: d.Uvarint(), bytes: d.number(), prevTag: d.Uint32(), tag: d.Uint32(), unixMS: d.number()}
}

// decodeHeader reads only the header of an entry.
func decodeHeader(value []byte) (header, error) {
	d := newDecoder(value)
	h := d.header()
	if d.Bad {
		return header{}, fmt.Errorf("%w: entry's header", errCorrupt)
	}
	return h, nil
}

// decodeEntry reads an entry of the channel's log at pos, whose tag it fills in. The data aliases value.
func decodeEntry(pos engine.Position, value []byte) (*engine.Publication, header, error) {
	d := newDecoder(value)
	h := d.header()
	pos.Tag = h.tag
	p := &engine.Publication{Position: pos, PrevTag: h.prevTag, UnixMS: h.unixMS, Sender: d.Text()}
	d.body(p)
	if !d.OK() || pos.Offset <= h.retained {
		return nil, header{}, fmt.Errorf("%w: entry %d", errCorrupt, pos.Offset)
	}
	return p, h, nil
}

func (d *decoder) body(p *engine.Publication) {
	p.User, p.Event = d.Text(), d.Text()
	p.Data.Binary = d.Byte()&flagBinary != 0
	if body := d.Bytes(); len(body) > 0 {
		p.Data.Body = body
	}
	n := d.Uvarint()
	if d.Bad || n == 0 || n > uint64(len(d.Rest)) {
		d.Bad = d.Bad || n != 0
		return
	}
	p.Tags = make(map[string]string, min(n, 64))
	for range n {
		k := d.Text()
		p.Tags[k] = d.Text()
		if d.Bad {
			return
		}
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chainTag hashes an entry onto the tag of the one before it. A CRC is a bijection of its start, so logs that once
// differed keep differing for as long as they append alike. Never zero.
func chainTag(prev uint32, unixMS int64, body []byte) uint32 {
	var ms [8]byte
	binary.LittleEndian.PutUint64(ms[:], uint64(unixMS))
	tag := crc32.Update(crc32.Update(prev, castagnoli, ms[:]), castagnoli, body)
	if tag == 0 {
		return 1
	}
	return tag
}
