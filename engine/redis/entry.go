package redis

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/earshot/earshot/engine"
)

// headerBytes is the length of what the publish script puts before an entry's body: HEADER in lib.lua.
const headerBytes = 4 + 4 + 8 + 8

// Bits of the byte before the data.
const flagBinary = 1

// appendBody appends what the publisher said, in the form that entries keep, tags chain and keys are compared by.
func appendBody(dst []byte, p *engine.Proposal) []byte {
	dst = appendBytes(dst, p.User)
	dst = appendBytes(dst, p.Event)
	var flags byte
	if p.Data.Binary {
		flags |= flagBinary
	}
	dst = append(dst, flags)
	dst = appendBytes(dst, p.Data.Body)
	dst = append(dst, byte(min(len(p.Tags), 255))) // wire.MaxTags is 16
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		dst = appendBytes(dst, k)
		dst = appendBytes(dst, p.Tags[k])
	}
	return dst
}

// decodeEntry reads an entry of a log, or of an unretained channel, at pos, whose tag it fills in. The data aliases value.
func decodeEntry(pos engine.Position, value []byte) (*engine.Publication, error) {
	d := decoder{rest: value}
	p := &engine.Publication{Position: pos}
	d.header(p)
	p.Sender = d.string()
	body := d.rest
	d.body(p)
	return p, d.finish(p, body)
}

func (d *decoder) header(p *engine.Publication) {
	p.Tag, p.PrevTag, p.UnixMS = d.uint32(), d.uint32(), d.number()
	d.number() // bytes before it: for retention
}

// finish checks that the entry was read to its end and has the tag that its content gives it.
func (d *decoder) finish(p *engine.Publication, content []byte) error {
	if !d.ok() || p.Tag != chainTag(p.PrevTag, p.UnixMS, contentHash(content)) {
		return fmt.Errorf("%w: entry %d", errCorrupt, p.Offset)
	}
	return nil
}

func (d *decoder) body(p *engine.Publication) {
	p.User, p.Event = d.string(), d.string()
	p.Data.Binary = d.byte()&flagBinary != 0
	if body := d.bytes(); len(body) > 0 {
		p.Data.Body = body
	}
	n := d.byte()
	if n == 0 {
		return
	}
	p.Tags = make(map[string]string, n)
	for range n {
		k := d.string()
		p.Tags[k] = d.string()
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
	d := decoder{rest: frame}
	pos := engine.Position{Epoch: d.uint64(), Offset: uint64(d.number())}
	var pubs []*engine.Publication
	for !d.bad && len(d.rest) > 0 {
		p, err := decode(pos, d.take(uint64(d.uint32())))
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, p)
		pos.Offset++
	}
	if d.bad || len(pubs) == 0 || pos.Epoch == 0 {
		return nil, fmt.Errorf("%w: message between nodes", errCorrupt)
	}
	return pubs, nil
}
