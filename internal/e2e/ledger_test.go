package e2e

import (
	"context"
	"fmt"
	"sync"

	"github.com/earshot/earshot/client"
)

// ledger is what the server answered to the publishers of one channel: which number got which offset.
type ledger struct {
	channel string

	mu sync.Mutex
	// Guarded by mu.
	numbers map[uint64]int // by offset
	repeats int            // answers that were those of an earlier try
	entered chan struct{}  // closed and replaced with each entry
}

func newLedger(channel string) *ledger {
	return &ledger{channel: channel, numbers: make(map[uint64]int), entered: make(chan struct{})}
}

// enter notes that a number was committed. An offset that was given twice is an error.
func (l *ledger) enter(number int, p client.Published) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, twice := l.numbers[p.Offset]; twice {
		return fmt.Errorf("%s: offset %d was given to %d and %d", l.channel, p.Offset, other, number)
	}
	l.numbers[p.Offset] = number
	if p.Duplicate {
		l.repeats++
	}
	close(l.entered)
	l.entered = make(chan struct{})
	return nil
}

// waitFor waits until n numbers were committed.
func (l *ledger) waitFor(ctx context.Context, n int) error {
	for {
		l.mu.Lock()
		have, entered := len(l.numbers), l.entered
		l.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-entered:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// repeated returns how many publishes were committed by one try and answered to a later one.
func (l *ledger) repeated() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.repeats
}

// check compares what a reader saw with what was committed.
func (l *ledger) check(seen []sighting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range seen {
		if number, ok := l.numbers[s.offset]; !ok || number != s.number {
			return fmt.Errorf("%s: at offset %d a reader saw %d, the publisher was told %d", l.channel, s.offset, s.number, number)
		}
	}
	return nil
}

// complete reports whether the offsets are exactly those from 1 to n and each number was given one.
func (l *ledger) complete(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	numbers := make(map[int]bool)
	for offset := uint64(1); offset <= uint64(n); offset++ {
		number, ok := l.numbers[offset]
		if !ok {
			return fmt.Errorf("%s: offset %d was given to no publish", l.channel, offset)
		}
		numbers[number] = true
	}
	if len(l.numbers) != n || len(numbers) != n {
		return fmt.Errorf("%s: %d offsets for %d numbers, want %d of each", l.channel, len(l.numbers), len(numbers), n)
	}
	return nil
}

// sighting is a publication as a reader saw it.
type sighting struct {
	offset uint64
	number int
}

func sight(p client.Publication) (sighting, error) {
	var m message
	if err := p.Decode(&m); err != nil {
		return sighting{}, err
	}
	return sighting{p.Offset, m.Number}, nil
}

// message is what the tests publish.
type message struct {
	Number int    `json:"n"`
	Text   string `json:"text"`
}

// text makes a message about as long as one line of a chat.
const text = "the quick brown fox jumps over the lazy dog, then rests"
