package local

import (
	"encoding/binary"
	"math/bits"
)

// filter is a Bloom filter (CACM 13/7, 1970) over keys: it tells surely that a key was never added. The keys are
// hashes already, so their halves serve as the two hash functions that the others are made of.
type filter []uint64

// filterBits and filterHashes give about one wrong answer in a hundred.
const (
	filterBits   = 10
	filterHashes = 5
)

// newFilter returns a filter for about n keys.
func newFilter(n int64) filter {
	words := (uint64(max(n, 64))*filterBits + 63) / 64
	return make(filter, 1<<bits.Len64(words-1)) // a power of two
}

func (f filter) add(id keyID) {
	a, b := halves(id)
	for range filterHashes {
		f[a>>6&uint64(len(f)-1)] |= 1 << (a & 63)
		a += b
	}
}

func (f filter) mayHold(id keyID) bool {
	a, b := halves(id)
	for range filterHashes {
		if f[a>>6&uint64(len(f)-1)]&(1<<(a&63)) == 0 {
			return false
		}
		a += b
	}
	return true
}

func halves(id keyID) (a, b uint64) {
	return binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:]) | 1
}
