// Package packed is how engines write values that only they read: fixed little-endian integers, varints, and bytes after their
// length.
package packed

import "encoding/binary"

// Decoder reads a value from its beginning. A read past the end gives zero and sets Bad; so a caller decodes everything and looks
// at OK once. The zero value reads nothing.
type Decoder struct {
	Rest []byte // not read yet
	Bad  bool
}

// OK reports whether everything was there and nothing is left over.
func (d *Decoder) OK() bool { return !d.Bad && len(d.Rest) == 0 }

// Take reads n bytes. They alias the value.
func (d *Decoder) Take(n uint64) []byte {
	if d.Bad || n > uint64(len(d.Rest)) {
		d.Bad = true
		return nil
	}
	b := d.Rest[:n:n]
	d.Rest = d.Rest[n:]
	return b
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if b := d.Take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes.
func (d *Decoder) Uint16() uint16 {
	if b := d.Take(2); len(b) == 2 {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads four bytes.
func (d *Decoder) Uint32() uint32 {
	if b := d.Take(4); len(b) == 4 {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes.
func (d *Decoder) Uint64() uint64 {
	if b := d.Take(8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Uvarint reads a varint.
func (d *Decoder) Uvarint() uint64 {
	v, n := binary.Uvarint(d.Rest)
	if d.Bad || n <= 0 {
		d.Bad = true
		return 0
	}
	d.Rest = d.Rest[n:]
	return v
}

// Bytes reads a length and that many bytes. They alias the value.
func (d *Decoder) Bytes() []byte { return d.Take(d.Uvarint()) }

// Text is Bytes, copied to a string.
func (d *Decoder) Text() string { return string(d.Bytes()) }

// AppendBytes appends what Bytes reads.
func AppendBytes[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
