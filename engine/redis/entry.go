package redis

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
)

// headerBytes is the length of what the publish script puts before an entry's body: HEADER in lib.lua.
const headerBytes = 4 + 4 + 8 + 8

// Bits of the byte before the data.
const flagBinary = 1

// appendBody appends what the publisher said, in the form that entries keep, tags chain and keys are compared by.
func appendBody(dst []byte, p *engine.Proposal) []byte {
	dst = packed.AppendBytes(dst, p.User)
	dst = packed.AppendBytes(dst, p.Event)
	var flags byte
	if p.Data.Binary {
		flags |= flagBinary
	}
	dst = append(dst, flags)
	dst = packed.AppendBytes(dst, p.Data.Body)
	dst = append(dst, byte(min(len(p.Tags), 255))) // wire.MaxTags is 16
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		dst = packed.AppendBytes(dst, k)
		dst = packed.AppendBytes(dst, p.Tags[k])
	}
	return dst
}

// decodeEntry reads an entry of a log, or of an unretained channel, at pos, whose tag it fills in. The data aliases value.
func decodeEntry(pos engine.Position, value []byte) (*engine.Publication, error) {
	d := newDecoder(value)
	p := &engine.Publication{Position: pos}
	d.header(p)
	p.Sender = d.Text()
	body := d.Rest
	d.body(p)
	return p, d.finish(p, body)
}

func (d *decoder) header(p *engine.Publication) {
	p.Tag, p.PrevTag, p.UnixMS = d.Uint32(), d.Uint32(), d.number()
	d.number() // bytes before it: for retention
}

// finish checks that the entry was read to its end and has the tag that its content gives it.
func (d *decoder) finish(p *engine.Publication, content []byte) error {
	if !d.OK() || p.Tag != chainTag(p.PrevTag, p.UnixMS, contentHash(content)) {
		return fmt.Errorf("%w: entry %d", errCorrupt, p.Offset)
	}
	return nil
}

func (d *decoder) body(p *engine.Publication) {
	p.User, p.Event = d.Text(), d.Text()
	p.Data.Binary = d.Byte()&flagBinary != 0
	if body := d.Bytes(); len(body) > 0 {
		p.Data.Body = body
	}
	n := d.Byte()
	if n == 0 {
		return
	}
	p.Tags = make(map[string]string, n)
	for range n {
		k := d.Text()
		p.Tags[k] = d.Text()
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func contentHash(body []byte) uint32 { return crc32.Checksum(body, castagnoli) }

// chainTag is chain of lib.lua: it hashes an entry onto the tag of the one before it. Never zero.
func chainTag(prev uint32, unixMS int64, hash uint32) uint32 {
	if tag := prev*40503 + uint32(unixMS) + hash; tag != 0 {
		return tag
	}
	return 1
}

// decodeFrame reads a message between nodes: consecutive publications of a channel, each read by decode.
func decodeFrame(frame []byte, decode func(engine.Position, []byte) (*engine.Publication, error)) ([]*engine.Publication, error) {
	d := newDecoder(frame)
	pos := engine.Position{Epoch: d.Uint64(), Offset: uint64(d.number())}
	var pubs []*engine.Publication
	for !d.Bad && len(d.Rest) > 0 {
		p, err := decode(pos, d.Take(uint64(d.Uint32())))
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, p)
		pos.Offset++
	}
	if d.Bad || len(pubs) == 0 || pos.Epoch == 0 {
		return nil, fmt.Errorf("%w: message between nodes", errCorrupt)
	}
	return pubs, nil
}
