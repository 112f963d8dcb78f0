package redis

import (
	"errors"

	"github.com/earshot/earshot/engine/internal/packed"
)

// errCorrupt is the error of a value in Redis that this engine cannot have written.
var errCorrupt = errors.New("data in Redis is damaged")

// decoder reads values: see packed.Decoder.
type decoder struct{ packed.Decoder }

func newDecoder[T string | []byte](value T) *decoder {
	return &decoder{packed.Decoder{Rest: []byte(value)}}
}

// number reads an integer that scripts reckon with: they know doubles only.
func (d *decoder) number() int64 {
	v := d.Uint64()
	if v > 1<<53 {
		d.Bad = true
		return 0
	}
	return int64(v)
}
