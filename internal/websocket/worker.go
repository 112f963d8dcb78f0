package websocket

import (
	"sync"
	"time"
)

// maxKeptBytes is the size over which a buffer that a large message made grow is not kept.
const maxKeptBytes = 64 << 10

// gatherFor is how long a worker for crowds rests at least before it begins anew. A crowd that is told things faster than that
// gets several in one write, which cost little more than one. Who is told now and then does not wait.
const gatherFor = time.Millisecond

// worker serves one lane of the connections that were given to it, in turn, when they have something to say. It never
// blocks on one.
type worker struct {
	lane      lane
	turnBytes int
	wake      chan struct{} // holds one token while the list may not be empty
	buf       []byte        // owned by run

	mu          sync.Mutex
	first, last *Conn // linked by Conn.waiting
}

func newWorker(l lane, turnBytes int) *worker {
	return &worker{lane: l, turnBytes: turnBytes, wake: make(chan struct{}, 1)}
}

// push appends a connection to the list, unless it is in. One that has moved to the other lane, or is over, stays until
// it is popped, to no effect.
func (w *worker) push(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.listed[w.lane] {
		return
	}
	c.listed[w.lane] = true
	if w.first != nil {
		w.last.waiting[w.lane] = c
		w.last = c
		return
	}
	w.first, w.last = c, c
	select {
	case w.wake <- struct{}{}:
	default:
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
	w.first, c.waiting[w.lane], c.listed[w.lane] = c.waiting[w.lane], nil, false
	if w.first == nil {
		w.last = nil // or it would keep c alive
	}
	return c
}

// run serves until stop is closed.
func (w *worker) run(stop <-chan struct{}) {
	w.buf = make([]byte, 0, w.turnBytes)
	var served time.Time // when nobody waited any more
	for {
		select {
		case <-stop:
			return
		case <-w.wake:
			if w.lane == later {
				gather(stop, served)
			}
			w.serve(stop)
			served = time.Now()
		}
	}
}

// gather waits until gatherFor after served, or until stop is closed.
func gather(stop <-chan struct{}, served time.Time) {
	left := gatherFor - time.Since(served)
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	}
}

// serve gives turns until nobody waits or stop is closed.
func (w *worker) serve(stop <-chan struct{}) {
	for c := w.pop(); c != nil; c = w.pop() {
		if c.takeTurn(w.lane) {
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
