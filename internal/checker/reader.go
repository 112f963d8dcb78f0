package checker

import (
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Message is what a publication of a ledger carries. Text is there for its length.
type Message struct {
	Number int    `json:"n"`
	Text   string `json:"text"`
}

// Reader is what one client sees of the ledger's channel, one event after the other.
type Reader struct {
	ledger *Ledger
	// Guarded by ledger.mu.
	at         place
	lost       bool // what it starts from is no position of the channel, so it must be told so
	left       bool
	deliveries int
	skipped    int
	resets     map[wire.ResetReason]int
}

// Reader adds a reader who starts after the position since. It must reach the newest publication before Check, unless it
// leaves. A position of another epoch, of an offset that cannot be there yet, or that is none at all must be answered by a reset.
func (l *Ledger) Reader(since string) *Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &Reader{ledger: l, resets: make(map[wire.ResetReason]int)}
	l.readers = append(l.readers, r)
	at, err := engine.ParsePosition(since)
	r.at = place{at.Epoch, at.Offset}
	top, known := l.tops[at.Epoch]
	switch {
	case err != nil, known && at.Offset > top+uint64(len(l.open)), !known && len(l.tops) > 0:
		r.lost = true
	case !known:
		_ = l.epochLocked(at.Epoch) // the first one, which is no breach
	}
	if !r.lost {
		l.oweLocked(place{at.Epoch, at.Offset + 1})
	}
	return r
}

// Stranger adds a reader who starts from what is no position of the channel, in a way that the ledger cannot see: one with
// a wrong tag, or of another channel. It must be told a reset first.
func (l *Ledger) Stranger() *Reader {
	return l.Reader("")
}

// oweLocked notes that a reader is owed what is at a place and after it.
func (l *Ledger) oweLocked(at place) {
	if base, ok := l.bases[at.epoch]; !ok || at.offset < base {
		l.bases[at.epoch] = at.offset
	}
}

// Offset returns the offset of what the reader saw last, or of the reset that it was told last.
func (r *Reader) Offset() uint64 {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	return r.at.offset
}

// Leave says that the reader sees no more, and owes no newest publication.
func (r *Reader) Leave() {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	r.left = true
}

// Note notes the next event. What the contract does not allow is a *Breach; Check reports it again.
func (r *Reader) Note(ev client.Event) error {
	l := r.ledger
	at, err := engine.ParsePosition(ev.After())
	if err != nil {
		return l.breach(Malformed, "position %q of a %T: %v", ev.After(), ev, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case client.Publication:
		return r.publicationLocked(ev, place{at.Epoch, at.Offset})
	case client.Reset:
		return r.resetLocked(ev.Why, place{at.Epoch, at.Offset})
	}
	return l.breachLocked(Malformed, "a log told a %T", ev)
}

func (r *Reader) publicationLocked(p client.Publication, at place) error {
	l, before := r.ledger, r.at
	r.at = at
	r.deliveries++
	switch {
	case p.Offset != at.offset:
		return l.breachLocked(Malformed, "offset %d has the position of %d", p.Offset, at.offset)
	case r.lost:
		return l.breachLocked(Silent, "offset %d is told to a reader whose position is none of the channel, without a reset", at.offset)
	case at.epoch != before.epoch:
		return l.breachLocked(Silent, "offset %d is of another epoch than %d before it, without a reset", at.offset, before.offset)
	case at.offset <= before.offset:
		return l.breachLocked(Repeat, "offset %d is told after %d", at.offset, before.offset)
	case at.offset > before.offset+1:
		return l.breachLocked(Gap, "offset %d is told after %d, without a reset", at.offset, before.offset)
	}
	var m Message
	if err := p.Decode(&m); err != nil {
		return l.breachLocked(Malformed, "offset %d: %v", at.offset, err)
	}
	return l.enterLocked(at, entry{number: m.Number}, "a reader saw")
}

// resetLocked moves the reader to where the stream goes on. Another epoch needs no other reason: whether there may be one,
// epochLocked decides.
func (r *Reader) resetLocked(why wire.ResetReason, at place) error {
	l, before, lost := r.ledger, r.at, r.lost
	r.at, r.lost = at, false
	r.resets[why]++
	if err := l.epochLocked(at.epoch); err != nil {
		return err
	}
	l.oweLocked(place{at.epoch, at.offset + 1})
	if lost {
		return nil
	}
	if at.epoch != before.epoch {
		if why == wire.ResetEvicted {
			return l.breachLocked(FalseReset, "evicted, but the epoch is another one")
		}
		return nil
	}
	if why != wire.ResetEvicted {
		return l.breachLocked(FalseReset, "%s, though offset %d is of the same log", why, before.offset)
	}
	if at.offset <= before.offset {
		return l.breachLocked(Repeat, "a reset from offset %d back to %d", before.offset, at.offset)
	}
	r.skipped += int(at.offset - before.offset)
	return l.goneLocked(place{before.epoch, before.offset + 1})
}
