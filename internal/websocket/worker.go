package websocket

import "sync"

// maxKeptBytes is the size over which a buffer that a large message made grow is not kept.
const maxKeptBytes = 64 << 10

// worker serves the connections that were given to it, in turn, when they have something to say. It never blocks on one.
type worker struct {
	turnBytes int
	backlog   *backlog
	wake      chan struct{} // holds one token while the list may not be empty
	buf       []byte        // owned by run

	mu          sync.Mutex
	first, last *Conn // linked by Conn.waiting
}

func newWorker(turnBytes int, b *backlog) *worker {
	return &worker{turnBytes: turnBytes, backlog: b, wake: make(chan struct{}, 1)}
}

// push appends a connection to the list. Its turn is turnQueued, so it is not in it.
func (w *worker) push(c *Conn) {
	w.backlog.add()
	w.mu.Lock()
	wasEmpty := w.first == nil
	if wasEmpty {
		w.first = c
	} else {
		w.last.waiting = c
	}
	w.last = c
	w.mu.Unlock()
	if wasEmpty {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// pop takes the connection that has waited longest, or nil.
func (w *worker) pop() *Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.first
	if c == nil {
		return nil
	}
	w.backlog.remove()
	w.first, c.waiting = c.waiting, nil
	if w.first == nil {
		w.last = nil // or it would keep c alive
	}
	return c
}

// run serves until stop is closed.
func (w *worker) run(stop <-chan struct{}) {
	w.buf = make([]byte, 0, w.turnBytes)
	for {
		select {
		case <-stop:
			return
		case <-w.wake:
			w.serve(stop)
		}
	}
}

// serve gives turns until nobody waits or stop is closed.
func (w *worker) serve(stop <-chan struct{}) {
	for c := w.pop(); c != nil; c = w.pop() {
		if c.takeTurn() {
			w.keep(c.flush(w.buf, w.turnBytes))
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

// keep keeps a buffer for the next turn.
func (w *worker) keep(buf []byte) {
	if cap(buf) <= max(maxKeptBytes, w.turnBytes) {
		w.buf = buf[:0]
	}
}
