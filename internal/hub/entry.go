package hub

import (
	"sync/atomic"

	"github.com/earshot/earshot/engine"
)

// Slots is how many encodings one entry can hold: one for each pair of codec and framing.
const Slots = 6

// Encoder writes a publication in one encoding and framing.
type Encoder interface {
	// Slot is the encoding's place in an entry, from 0 to Slots-1: the same for every encoder that writes the same bytes.
	Slot() int
	// Publication returns p as it goes to every subscriber of channel: shared and read-only afterwards.
	Publication(channel string, p *engine.Publication) []byte
}

// Entry is one publication on its way to the subscribers of a channel, with its encodings, each made once.
type Entry struct {
	*engine.Publication
	slots [Slots]atomic.Pointer[[]byte]
	// superseded says that a later entry of the ring is of the same key of a map: readers pass over this one.
	superseded atomic.Bool
}

// Encoded returns the entry's bytes for enc, made on first use. Two callers that come first together may both encode;
// one result is kept.
func (e *Entry) Encoded(channel string, enc Encoder) []byte {
	slot := &e.slots[enc.Slot()]
	if b := slot.Load(); b != nil {
		return *b
	}
	b := enc.Publication(channel, e.Publication)
	slot.CompareAndSwap(nil, &b)
	return *slot.Load()
}
