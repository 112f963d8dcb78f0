package engine

import (
	"encoding/base64"
	"encoding/binary"
)

// Position is where a reader is in a channel: after the publication at Offset, or, at offset zero, before the first of
// the epoch. Offsets of one epoch are consecutive from 1.
type Position struct {
	Epoch  uint64 // names one life of the channel's log; never zero in a position that an engine gave
	Offset uint64
	Tag    uint32 // of the entry at Offset: tells a log that lost its tail from the one the reader knew. Zero at offset zero
}

// IsZero reports whether p is the zero value, which is no position of any channel.
func (p Position) IsZero() bool { return p == Position{} }

// String returns p as the opaque text that clients are given: base64url of epoch and tag, little-endian, and the offset
// as a varint. The zero value is the empty string.
func (p Position) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the text of p to dst.
func (p Position) AppendTo(dst []byte) []byte {
	if p.IsZero() {
		return dst
	}
	var raw [12 + binary.MaxVarintLen64]byte
	b := binary.LittleEndian.AppendUint64(raw[:0], p.Epoch)
	b = binary.LittleEndian.AppendUint32(b, p.Tag)
	b = binary.AppendUvarint(b, p.Offset)
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// ParsePosition reads what String wrote. Anything else, the empty string too, is ErrBadPosition.
func ParsePosition(s string) (Position, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 13 {
		return Position{}, ErrBadPosition
	}
	offset, n := binary.Uvarint(b[12:])
	p := Position{Epoch: binary.LittleEndian.Uint64(b), Tag: binary.LittleEndian.Uint32(b[8:]), Offset: offset}
	if n != len(b)-12 || p.Epoch == 0 || p.String() != s {
		return Position{}, ErrBadPosition
	}
	return p, nil
}
