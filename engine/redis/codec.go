package redis

import (
	"encoding/binary"
	"errors"
)

// errCorrupt is the error of a value in Redis that this engine cannot have written.
var errCorrupt = errors.New("data in Redis is damaged")

// decoder reads values. A read past the end gives zero and sets bad; so a caller decodes everything and looks at ok once.
type decoder struct {
	rest []byte
	bad  bool
}

// ok reports whether everything was there and nothing is left over.
func (d *decoder) ok() bool { return !d.bad && len(d.rest) == 0 }

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16() uint16 {
	if b := d.take(2); len(b) == 2 {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); len(b) == 4 {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// number reads an integer that scripts reckon with: they know doubles only.
func (d *decoder) number() int64 {
	v := d.uint64()
	if v > 1<<53 {
		d.bad = true
		return 0
	}
	return int64(v)
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// bytes reads a length and that many bytes. They alias the input.
func (d *decoder) bytes() []byte { return d.take(d.uvarint()) }

func (d *decoder) string() string { return string(d.bytes()) }

func appendBytes[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
