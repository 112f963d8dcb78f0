package hub

import "sync"

// line is a queue that workers take from in turn. Whoever puts an item makes sure that it stands in line once, which
// bounds the line by the number of items there are.
type line[T any] struct {
	mu     sync.Mutex
	ready  sync.Cond
	items  []T
	closed bool
}

func newLine[T any]() *line[T] {
	l := &line[T]{}
	l.ready.L = &l.mu
	return l
}

// put adds item at the end.
func (l *line[T]) put(item T) {
	l.mu.Lock()
	l.items = append(l.items, item)
	l.mu.Unlock()
	l.ready.Signal()
}

// take waits for the first item. It reports false once the line is closed.
func (l *line[T]) take() (item T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.items) == 0 && !l.closed {
		l.ready.Wait()
	}
	if l.closed {
		return item, false
	}
	item = l.items[0]
	var none T
	l.items[0] = none
	l.items = l.items[1:]
	return item, true
}

// close lets all workers go. Items still in line are dropped.
func (l *line[T]) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.ready.Broadcast()
}
