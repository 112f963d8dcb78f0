package hub

import (
	"slices"
	"testing"
)

// TestLineRows takes from a line with two rows: the first goes first, and does not starve the second.
func TestLineRows(t *testing.T) {
	l := newLine[int]()
	for i := range 2 * maxFirstRun {
		l.put(i, false)
	}
	l.put(100, true)
	l.put(101, true)
	l.put(102, true)
	var got []int
	for range 2*maxFirstRun + 3 {
		item, _ := l.take()
		got = append(got, item)
	}
	want := []int{0, 1, 2, 3, 4, 5, 6, 7, 100, 8, 9, 10, 11, 12, 13, 14, 15, 101, 102}
	if !slices.Equal(got, want) {
		t.Errorf("took %v, want %v", got, want)
	}
}

// listening counts how it was woken.
type listening struct{ soon, later int }

func (l *listening) Wake()      { l.soon++ }
func (l *listening) WakeLater() { l.later++ }

// TestCrowdWaits wakes a channel of few and one of many: only the listeners of the second let others go first.
func TestCrowdWaits(t *testing.T) {
	for _, count := range []int{1, crowd, crowd + 1, 3 * wakeTurn} {
		var c channel
		var l listening
		for range count {
			c.add(&Subscription{channel: &c, listener: &l})
		}
		rounds := 1
		for !c.wakeSome(wakeTurn) {
			rounds++
		}
		want := listening{soon: count}
		if count > crowd {
			want = listening{later: count}
		}
		if l != want || rounds != max(1, (count+wakeTurn-1)/wakeTurn) {
			t.Errorf("%d listeners: %+v in %d turns, want %+v", count, l, rounds, want)
		}
	}
}
