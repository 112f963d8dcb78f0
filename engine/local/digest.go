package local

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/earshot/earshot/engine/internal/packed"
)

// keyID is an idempotency id with its scope, hashed; digest is a message, hashed. Clients choose both, so the hash
// must be one that nobody can find collisions for.
type (
	keyID  [16]byte
	digest [16]byte
)

func hashKey(channel, user, key string) keyID {
	var buf [512]byte
	b := packed.AppendBytes(packed.AppendBytes(packed.AppendBytes(buf[:0], channel), user), key)
	sum := sha256.Sum256(b)
	return keyID(sum[:16])
}

func hashBody(body []byte) digest {
	sum := sha256.Sum256(body)
	return digest(sum[:16])
}

// seed is the store's secret that epochs are derived from.
type seed [16]byte

func newSeed() (s seed) {
	rand.Read(s[:]) // never fails: see crypto/rand
	return s
}

// epoch derives the epoch that a channel has before its first publication. It needs no write to stay the same, so a
// reader of a log that is still empty can resume after a restart.
func (s seed) epoch(channel string, generation uint64) uint64 {
	b := append([]byte("first"), s[:]...)
	b = binary.LittleEndian.AppendUint64(b, generation)
	return hashEpoch(append(b, channel...))
}

// next derives the epoch that follows old in a generation.
func (s seed) next(old, generation uint64) uint64 {
	b := append([]byte("next"), s[:]...)
	b = binary.LittleEndian.AppendUint64(b, old)
	return hashEpoch(binary.LittleEndian.AppendUint64(b, generation))
}

func hashEpoch(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return max(1, binary.LittleEndian.Uint64(sum[:]))
}

// randomEpoch is the epoch of an unretained channel.
func randomEpoch() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return max(1, binary.LittleEndian.Uint64(b[:]))
}
