package hub

import "sync"

// maxFirstRun is how many items of the first row are taken in a row while there are some in the second.
const maxFirstRun = 8

// line is a queue of two rows that workers take from in turn: those of the first row go before those of the second, but not
// always. Whoever puts an item makes sure that it stands in line once, which bounds the line by the number of items there are.
type line[T any] struct {
	mu     sync.Mutex
	ready  sync.Cond
	first  []T
	second []T
	run    int // items of the first row since the last of the second
	closed bool
}

func newLine[T any]() *line[T] {
	l := &line[T]{}
	l.ready.L = &l.mu
	return l
}

// put adds item at the end of a row.
func (l *line[T]) put(item T, second bool) {
	l.mu.Lock()
	if second {
		l.second = append(l.second, item)
	} else {
		l.first = append(l.first, item)
	}
	l.mu.Unlock()
	l.ready.Signal()
}

// take waits for the next item. It reports false once the line is closed.
func (l *line[T]) take() (item T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.first)+len(l.second) == 0 && !l.closed {
		l.ready.Wait()
	}
	if l.closed {
		return item, false
	}
	row := &l.first
	l.run++
	if len(l.first) == 0 || len(l.second) > 0 && l.run > maxFirstRun {
		row, l.run = &l.second, 0
	}
	item = (*row)[0]
	var none T
	(*row)[0] = none
	*row = (*row)[1:]
	return item, true
}

// close lets all workers go. Items still in line are dropped.
func (l *line[T]) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.ready.Broadcast()
}
