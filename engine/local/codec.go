package local

import "github.com/earshot/earshot/engine/internal/packed"

// decoder reads the store's values: see packed.Decoder.
type decoder struct{ packed.Decoder }

func newDecoder(value []byte) *decoder { return &decoder{packed.Decoder{Rest: value}} }

// number reads a varint that must fit an int64.
func (d *decoder) number() int64 {
	v := d.Uvarint()
	if v > 1<<63-1 {
		d.Bad = true
		return 0
	}
	return int64(v)
}

// version reads the first byte of a value, which must be want.
func (d *decoder) version(want byte) {
	if d.Byte() != want {
		d.Bad = true
	}
}
