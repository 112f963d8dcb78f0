package checker

import (
	"errors"
	"fmt"

	"github.com/earshot/earshot/wire"
)

// Kind says which part of the contract was broken.
type Kind string

// The kinds.
const (
	Gap        Kind = "gap"         // a publication was passed over without a reset
	Repeat     Kind = "repeat"      // a publication was told again, or in the wrong order
	Silent     Kind = "silent"      // a position that can't be continued was continued without a reset
	FalseReset Kind = "false reset" // a reset where nothing was gone
	Changed    Kind = "changed"     // two of those who know an offset know different messages
	Twice      Kind = "twice"       // one message was committed at two offsets
	Invented   Kind = "invented"    // a message was seen that nobody published, or that was refused
	Lost       Kind = "lost"        // an answered message is not there, or a reader never got that far
	Malformed  Kind = "malformed"   // an event or an answer that makes no sense
)

// maxBreaches bounds how many are kept; all are counted. A log that breaks its promise may do so a million times.
const maxBreaches = 100

// Breach is one thing that the contract does not allow.
type Breach struct {
	Kind    Kind
	Channel string
	Detail  string
}

func (b *Breach) Error() string { return fmt.Sprintf("%s: %s: %s", b.Channel, b.Kind, b.Detail) }

func (l *Ledger) breach(kind Kind, format string, args ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.breachLocked(kind, format, args...)
}

func (l *Ledger) breachLocked(kind Kind, format string, args ...any) error {
	b := &Breach{Kind: kind, Channel: l.channel, Detail: fmt.Sprintf(format, args...)}
	l.counts[kind]++
	if len(l.breaches) < maxBreaches {
		l.breaches = append(l.breaches, b)
	}
	return b
}

// Totals is what was counted. Those of several ledgers may be added up.
type Totals struct {
	Messages   int // attempts to publish
	Answered   int // attempts that were answered as committed
	Retried    int // those of them that an earlier try had committed
	Deliveries int
	Resets     map[wire.ResetReason]int
	Skipped    int // publications that resets went over, once for each reader
	Breaches   map[Kind]int
}

// Add adds the counts of o to t.
func (t *Totals) Add(o Totals) {
	t.Messages += o.Messages
	t.Answered += o.Answered
	t.Retried += o.Retried
	t.Deliveries += o.Deliveries
	t.Skipped += o.Skipped
	t.Resets = sum(t.Resets, o.Resets)
	t.Breaches = sum(t.Breaches, o.Breaches)
}

func sum[K comparable](a, b map[K]int) map[K]int {
	if a == nil {
		a = make(map[K]int)
	}
	for k, n := range b {
		a[k] += n
	}
	return a
}

// AllResets returns how many resets there were for any reason.
func (t Totals) AllResets() (n int) {
	for _, times := range t.Resets {
		n += times
	}
	return n
}

// Check says what was broken, once everything is over: what was noted on the way; offsets that neither a publisher nor a
// reader knows; and readers that did not get to the newest publication. What it finds counts in Totals. It is called once.
func (l *Ledger) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checkHolesLocked()
	newest := place{l.epoch, l.tops[l.epoch]}
	for i, r := range l.readers {
		if !r.left && (r.at.epoch != newest.epoch || r.at.offset < newest.offset) {
			_ = l.breachLocked(Lost, "reader %d ended at offset %d of %d", i, r.at.offset, newest.offset)
		}
	}
	errs := make([]error, len(l.breaches))
	for i, b := range l.breaches {
		errs[i] = b
	}
	return errors.Join(errs...)
}

// checkHolesLocked looks for offsets of which nobody knows. Each may be that of an attempt whose outcome is unknown.
func (l *Ledger) checkHolesLocked() {
	unknown := len(l.open)
	for epoch, top := range l.tops {
		for offset := l.bases[epoch]; offset < top; offset++ {
			if _, ok := l.entries[place{epoch, offset}]; ok || offset == 0 {
				continue
			}
			if unknown--; unknown < 0 {
				_ = l.breachLocked(Lost, "nobody published offset %d", offset)
			}
		}
	}
}

// Totals returns what was counted so far.
func (l *Ledger) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := Totals{
		Messages: len(l.attempts), Answered: l.answers, Retried: l.retried,
		Resets: make(map[wire.ResetReason]int), Breaches: sum(nil, l.counts),
	}
	for _, r := range l.readers {
		t.Deliveries += r.deliveries
		t.Skipped += r.skipped
		t.Resets = sum(t.Resets, r.resets)
	}
	return t
}
