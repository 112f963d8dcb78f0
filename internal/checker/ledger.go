// Package checker proves from outside that a log kept its promise. A Ledger of a channel is told what publishers tried and
// were answered, and its Readers what each client saw. Together they know every order, gap, repeat and reset, and say which
// of them the contract does not allow. It is for tests.
package checker

import (
	"context"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// place is where a publication is in the channel.
type place struct{ epoch, offset uint64 }

// attempt is one message that a publisher wants committed.
type attempt struct {
	begun   time.Time
	bytes   int64 // that the message counts for in the channel's retention
	refused bool  // for good: nobody may ever see it
}

// entry is what is known of one place.
type entry struct {
	number   int
	answered bool
}

// Ledger is what is known of one log from its publishers and readers. A message is named by its number, which Begin gives
// out and the message must carry. All methods may be called concurrently.
type Ledger struct {
	// Set by New, then read-only.
	channel string
	keeps   Retention

	mu sync.Mutex
	// Guarded by mu.
	attempts []attempt        // by number - 1
	open     map[int]struct{} // those not answered, not refused, and not seen by a reader
	entries  map[place]entry
	placed   map[int]place     // where a number was seen or answered last
	tops     map[uint64]uint64 // the newest offset known, by epoch
	bases    map[uint64]uint64 // the oldest offset that someone must have seen, by epoch
	epoch    uint64            // the one that came last
	renewals int               // how many new epochs the test has announced
	readers  []*Reader
	breaches []*Breach // the first of them
	counts   map[Kind]int
	retried  int
	answers  int
	answered chan struct{} // closed and replaced with each answer
}

// New returns the ledger of a channel that keeps at least as much as keeps says.
func New(channel string, keeps Retention) *Ledger {
	return &Ledger{
		channel:  channel,
		keeps:    keeps,
		open:     make(map[int]struct{}),
		entries:  make(map[place]entry),
		placed:   make(map[int]place),
		tops:     make(map[uint64]uint64),
		bases:    make(map[uint64]uint64),
		counts:   make(map[Kind]int),
		answered: make(chan struct{}),
	}
}

// Channel returns the channel's name.
func (l *Ledger) Channel() string { return l.channel }

// Begin notes that a message is about to be published and returns its number, from 1 on. Bytes is what it counts for in the
// channel's retention; it matters only where that is limited by bytes.
func (l *Ledger) Begin(bytes int) (number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts = append(l.attempts, attempt{begun: time.Now(), bytes: int64(bytes)})
	number = len(l.attempts)
	l.open[number] = struct{}{}
	return number
}

// Answer notes that a publisher was told that its message is committed. An attempt that is never answered nor refused
// may or may not be in the log.
func (l *Ledger) Answer(number int, p wire.Published) error {
	at, err := engine.ParsePosition(p.Position)
	if err != nil || at.Offset != p.Offset {
		return l.breach(Malformed, "number %d is answered with position %q and offset %d", number, p.Position, p.Offset)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Duplicate {
		l.retried++
	}
	l.answers++
	close(l.answered)
	l.answered = make(chan struct{})
	return l.enterLocked(place{at.Epoch, at.Offset}, entry{number: number, answered: true}, "the publisher was told")
}

// Refuse notes that a publisher was told that its message is not and will not be committed.
func (l *Ledger) Refuse(number int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.placed[number]; ok {
		return l.breachLocked(Invented, "number %d is refused, and at offset %d", number, at.offset)
	}
	l.attempts[number-1].refused = true
	delete(l.open, number)
	return nil
}

// ExpectEpoch announces that from now on the log may begin anew once more, because the test destroys what it kept.
func (l *Ledger) ExpectEpoch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewals++
}

// Wait waits until n publishes were answered.
func (l *Ledger) Wait(ctx context.Context, n int) error {
	for {
		l.mu.Lock()
		have, answered := l.answers, l.answered
		l.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-answered:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// enterLocked notes what is at a place, which must agree with what was known of the place and of the number.
func (l *Ledger) enterLocked(at place, e entry, who string) error {
	if e.number < 1 || e.number > len(l.attempts) || l.attempts[e.number-1].refused {
		return l.breachLocked(Invented, "%s that number %d, which nobody published, is at offset %d", who, e.number, at.offset)
	}
	known, ok := l.entries[at]
	if ok && known.number != e.number {
		return l.breachLocked(Changed, "%s that number %d is at offset %d, where number %d was", who, e.number, at.offset, known.number)
	}
	before, placed := l.placed[e.number]
	if placed && before.epoch == at.epoch && before.offset != at.offset {
		return l.breachLocked(Twice, "%s that number %d is at offset %d, and it is at %d", who, e.number, at.offset, before.offset)
	}
	e.answered = e.answered || known.answered
	l.entries[at] = e
	l.placed[e.number] = at
	delete(l.open, e.number)
	return l.extendLocked(at)
}

// extendLocked notes that the log reaches to a place.
func (l *Ledger) extendLocked(at place) error {
	if err := l.epochLocked(at.epoch); err != nil {
		return err
	}
	l.tops[at.epoch] = max(l.tops[at.epoch], at.offset)
	if base, ok := l.bases[at.epoch]; !ok || at.offset < base {
		l.bases[at.epoch] = at.offset
	}
	return nil
}

// epochLocked notes that the log has an epoch. There is one, and one more for each that the test has announced.
func (l *Ledger) epochLocked(epoch uint64) error {
	if _, known := l.tops[epoch]; known {
		return nil
	}
	l.tops[epoch] = 0
	l.epoch = epoch
	if len(l.tops) > 1+l.renewals {
		return l.breachLocked(FalseReset, "the log began anew for the %d. time, %d were announced", len(l.tops)-1, l.renewals)
	}
	return nil
}
