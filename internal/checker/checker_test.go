package checker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// log is a channel that the tests write by hand.
type log struct {
	*Ledger
	t *testing.T
}

const epoch, later = 7, 8

func newLog(t *testing.T, keeps Retention) log { return log{New("log:a", keeps), t} }

func position(epoch, offset uint64) string {
	return engine.Position{Epoch: epoch, Offset: offset}.String()
}

// answer tells the ledger that a number was committed.
func (l log) answer(number int, epoch, offset uint64) error {
	return l.Answer(number, wire.Published{Position: position(epoch, offset), Offset: offset})
}

// publish commits n messages at the offsets after the newest.
func (l log) publish(n int) {
	l.t.Helper()
	for range n {
		if err := l.answer(l.Begin(10), epoch, l.tops[epoch]+1); err != nil {
			l.t.Fatal(err)
		}
	}
}

func publication(number int, epoch, offset uint64) client.Publication {
	data := wire.JSONData(fmt.Appendf(nil, `{"n":%d}`, number))
	return client.Publication{Offset: offset, Position: position(epoch, offset), Message: wire.Message{Data: data}}
}

func reset(why wire.ResetReason, epoch, offset uint64) client.Reset {
	return client.Reset{Why: why, Position: position(epoch, offset)}
}

// read tells a reader of the offsets from first to last, each with the number that is the same.
func (l log) read(r *Reader, first, last uint64) {
	l.t.Helper()
	for offset := first; offset <= last; offset++ {
		if err := r.Note(publication(int(offset), epoch, offset)); err != nil {
			l.t.Fatal(err)
		}
	}
}

// wantKind checks that what was done is the breach, and that the verdict and the totals repeat it.
func (l log) wantKind(err error, kind Kind) {
	l.t.Helper()
	for _, err := range []error{err, l.Check()} {
		if b := new(Breach); !errors.As(err, &b) || b.Kind != kind {
			l.t.Errorf("got %v, want a %s", err, kind)
		}
	}
	if l.Totals().Breaches[kind] == 0 {
		l.t.Errorf("the totals are %+v", l.Totals())
	}
}

// What the contract allows is no breach.
func TestHonestLog(t *testing.T) {
	for name, run := range map[string]func(log){
		"read from the start": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.publish(5)
			l.read(r, 1, 5)
		},
		"seen before it was answered": func(l log) {
			r := l.Reader(position(epoch, 0))
			number := l.Begin(10)
			l.read(r, 1, 1)
			l.t.Log(l.answer(number, epoch, 1))
		},
		"outcome unknown, and committed": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.Begin(10)
			l.read(r, 1, 1)
		},
		"outcome unknown, committed, and evicted before anyone saw it": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.publish(1)
			l.Begin(10)
			for offset := uint64(3); offset < 20; offset++ {
				l.t.Log(l.answer(l.Begin(10), epoch, offset))
			}
			l.t.Log(r.Note(reset(wire.ResetEvicted, epoch, 19)))
		},
		"refused": func(l log) { l.t.Log(l.Refuse(l.Begin(10))) },
		"evicted": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.publish(11)
			l.t.Log(r.Note(reset(wire.ResetEvicted, epoch, 11)))
		},
		"begun anew": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.publish(5)
			l.read(r, 1, 5)
			l.ExpectEpoch()
			l.t.Log(r.Note(reset(wire.ResetEpoch, later, 3)))
			l.t.Log(l.answer(l.Begin(10), later, 4))
			l.t.Log(r.Note(publication(6, later, 4)))
		},
		"no position, and told so": func(l log) {
			l.publish(5)
			for _, since := range []string{"garbage", position(epoch, 99), position(later, 1)} {
				r := l.Reader(since)
				l.t.Log(r.Note(reset(wire.ResetUnknown, epoch, 4)))
				l.read(r, 5, 5)
			}
		},
		"left": func(l log) {
			r := l.Reader(position(epoch, 0))
			l.publish(5)
			r.Leave()
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, Retention{Size: 10})
			run(l)
			if err := l.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each lie is caught, and named.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		name string
		kind Kind
		lie  func(log, *Reader) error // after 5 messages, of which the reader saw 3
	}{
		{"passed over one", Gap, func(_ log, r *Reader) error { return r.Note(publication(5, epoch, 5)) }},
		{"told again", Repeat, func(_ log, r *Reader) error { return r.Note(publication(3, epoch, 3)) }},
		{"told an older one", Repeat, func(_ log, r *Reader) error { return r.Note(publication(2, epoch, 2)) }},
		{"went on in another epoch", Silent, func(_ log, r *Reader) error { return r.Note(publication(4, later, 4)) }},
		{"went on after garbage", Silent, func(l log, _ *Reader) error {
			return l.Reader("garbage").Note(publication(1, epoch, 1))
		}},
		{"went on after the future", Silent, func(l log, _ *Reader) error {
			return l.Reader(position(epoch, 50)).Note(publication(1, epoch, 1))
		}},
		{"went on after a wrong tag", Silent, func(l log, _ *Reader) error {
			return l.Stranger().Note(publication(4, epoch, 4))
		}},
		{"another message than was answered", Changed, func(_ log, r *Reader) error {
			return r.Note(publication(5, epoch, 4))
		}},
		{"an offset answered twice", Changed, func(l log, _ *Reader) error { return l.answer(l.Begin(0), epoch, 2) }},
		{"two readers saw two messages", Changed, func(l log, r *Reader) error {
			l.read(r, 4, 5)
			first, second := l.Begin(0), l.Begin(0)
			other := l.Reader(position(epoch, 5))
			return errors.Join(r.Note(publication(first, epoch, 6)), other.Note(publication(second, epoch, 6)))
		}},
		{"committed twice", Twice, func(l log, r *Reader) error {
			l.read(r, 4, 5)
			return r.Note(publication(5, epoch, 6))
		}},
		{"a message of nobody", Invented, func(l log, r *Reader) error {
			l.read(r, 4, 5)
			return r.Note(publication(77, epoch, 6))
		}},
		{"a refused message", Invented, func(l log, r *Reader) error {
			l.read(r, 4, 5)
			number := l.Begin(0)
			return errors.Join(l.Refuse(number), r.Note(publication(number, epoch, 6)))
		}},
		{"refused after it was seen", Invented, func(l log, r *Reader) error {
			l.read(r, 4, 5)
			number := l.Begin(0)
			return errors.Join(r.Note(publication(number, epoch, 6)), l.Refuse(number))
		}},
		{"a reset for nothing", FalseReset, func(_ log, r *Reader) error {
			return r.Note(reset(wire.ResetEvicted, epoch, 5))
		}},
		{"a reset of the epoch to the same", FalseReset, func(_ log, r *Reader) error {
			return r.Note(reset(wire.ResetEpoch, epoch, 5))
		}},
		{"a new epoch that nobody announced", FalseReset, func(_ log, r *Reader) error {
			return r.Note(reset(wire.ResetEpoch, later, 5))
		}},
		{"one new epoch too many", FalseReset, func(l log, r *Reader) error {
			l.ExpectEpoch()
			return errors.Join(r.Note(reset(wire.ResetEpoch, later, 0)), r.Note(reset(wire.ResetEpoch, later+1, 0)))
		}},
		{"a reset backwards", Repeat, func(_ log, r *Reader) error {
			return r.Note(reset(wire.ResetEvicted, epoch, 2))
		}},
		{"an answer without a position", Malformed, func(l log, _ *Reader) error {
			return l.Answer(l.Begin(0), wire.Published{Offset: 6})
		}},
		{"a position of another offset", Malformed, func(_ log, r *Reader) error {
			p := publication(4, epoch, 4)
			p.Offset = 5
			return r.Note(p)
		}},
		{"missed in a log", Malformed, func(_ log, r *Reader) error {
			return r.Note(client.Missed{Position: position(epoch, 4)})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLog(t, Retention{Size: 10})
			r := l.Reader(position(epoch, 0))
			l.publish(5)
			l.read(r, 1, 3)
			l.wantKind(c.lie(l, r), c.kind)
		})
	}
}

// What is not there in the end is lost.
func TestLost(t *testing.T) {
	t.Run("a reader that is behind", func(t *testing.T) {
		l := newLog(t, Retention{})
		r := l.Reader(position(epoch, 0))
		l.publish(5)
		l.read(r, 1, 4)
		l.wantKind(l.Check(), Lost)
	})
	t.Run("an offset of nobody", func(t *testing.T) {
		l := newLog(t, Retention{})
		l.publish(5)
		if err := l.answer(l.Begin(0), epoch, 7); err != nil {
			t.Fatal(err)
		}
		l.wantKind(l.Check(), Lost)
	})
}

// A reset is allowed only once the first publication that it passes over may be gone: by count, bytes, or age.
func TestGone(t *testing.T) {
	for name, c := range map[string]struct {
		keeps     Retention
		published int
		gone      bool
	}{
		"everything is kept":     {Retention{}, 1000, false},
		"as many as are kept":    {Retention{Size: 10}, 10, false},
		"one more than are kept": {Retention{Size: 10}, 11, true},
		"all the bytes":          {Retention{Bytes: 100}, 10, false},
		"more than the bytes":    {Retention{Bytes: 100}, 11, true},
		"younger than the age":   {Retention{Age: time.Hour}, 11, false},
		"older than the age":     {Retention{Age: time.Nanosecond}, 11, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, c.keeps)
			r := l.Reader(position(epoch, 0))
			l.publish(c.published)
			if err := r.Note(reset(wire.ResetEvicted, epoch, uint64(c.published))); (err == nil) != c.gone {
				t.Errorf("after %d of 10 bytes: %v", c.published, err)
			}
			if got := l.Totals(); got.Resets[wire.ResetEvicted] != 1 || got.Skipped != c.published {
				t.Errorf("the totals are %+v", got)
			}
		})
	}
}

// Messages that are under way may be committed already, and what they push out may be gone.
func TestGoneByWhatIsUnderWay(t *testing.T) {
	l := newLog(t, Retention{Size: 10})
	r := l.Reader(position(epoch, 0))
	l.publish(8)
	for range 3 {
		l.Begin(10)
	}
	if err := r.Note(reset(wire.ResetEvicted, epoch, 11)); err != nil {
		t.Error(err)
	}
}

func TestTotals(t *testing.T) {
	l := newLog(t, Retention{})
	r := l.Reader(position(epoch, 0))
	l.publish(3)
	l.Begin(0)
	if err := l.Answer(1, wire.Published{Position: position(epoch, 1), Offset: 1, Duplicate: true}); err != nil {
		t.Fatal(err)
	}
	l.read(r, 1, 3)
	var sum Totals
	sum.Add(l.Totals())
	sum.Add(l.Totals())
	if sum.Messages != 8 || sum.Answered != 8 || sum.Retried != 2 || sum.Deliveries != 6 || sum.AllResets() != 0 || len(sum.Breaches) != 0 {
		t.Errorf("the totals are %+v", sum)
	}
}
