package checker

import "time"

// Retention is what a channel promises to keep: what is within all of its limits. A zero limit does not apply, and the zero
// value keeps everything.
type Retention struct {
	Size  int           // publications
	Bytes int64         // of the publications together
	Age   time.Duration // of a publication
}

// clockStep is how much later a publication may seem to be committed than it was: times are in whole milliseconds.
const clockStep = time.Millisecond

// goneLocked checks that the publication at a place may have been dropped by now, as a reader was told. It gives the
// server the benefit of every attempt that is not settled, because that may be committed already.
func (l *Ledger) goneLocked(at place) error {
	newer := len(l.open)
	if top := l.tops[at.epoch]; top > at.offset {
		newer += int(top - at.offset)
	}
	switch {
	case l.keeps.Size > 0 && newer >= l.keeps.Size:
		return nil
	case l.keeps.Bytes > 0 && l.bytesFromLocked(at) > l.keeps.Bytes:
		return nil
	case l.keeps.Age > 0 && time.Since(l.begunLocked(at)) >= l.keeps.Age-clockStep:
		return nil
	}
	return l.breachLocked(FalseReset, "evicted from offset %d on, of which at most %d newer ones are published, and %+v are kept",
		at.offset, newer, l.keeps)
}

// bytesFromLocked returns how large the publications from a place on may be together.
func (l *Ledger) bytesFromLocked(at place) (bytes int64) {
	for number := range l.open {
		bytes += l.attempts[number-1].bytes
	}
	for offset := at.offset; offset <= l.tops[at.epoch]; offset++ {
		if e, ok := l.entries[place{at.epoch, offset}]; ok {
			bytes += l.attempts[e.number-1].bytes
		}
	}
	return bytes
}

// begunLocked returns the earliest time at which the publication at a place may have been committed. If it is not known
// which one that is, it is one of the attempts that are not settled.
func (l *Ledger) begunLocked(at place) time.Time {
	if e, ok := l.entries[at]; ok {
		return l.attempts[e.number-1].begun
	}
	earliest := time.Now()
	for number := range l.open {
		if begun := l.attempts[number-1].begun; begun.Before(earliest) {
			earliest = begun
		}
	}
	return earliest
}
