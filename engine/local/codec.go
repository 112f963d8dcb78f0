package local

import "encoding/binary"

// decoder reads the store's values. A read past the end, or one that makes no sense, gives zero and sets bad; so a
// caller decodes everything and looks at ok once.
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

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// number reads a varint that must fit an int64.
func (d *decoder) number() int64 {
	v := d.uvarint()
	if v > 1<<63-1 {
		d.bad = true
		return 0
	}
	return int64(v)
}

// bytes reads a length and that many bytes. They alias the input.
func (d *decoder) bytes() []byte { return d.take(d.uvarint()) }

func (d *decoder) string() string { return string(d.bytes()) }

// version reads the first byte of a value, which must be want.
func (d *decoder) version(want byte) {
	if d.byte() != want {
		d.bad = true
	}
}

func appendBytes[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
