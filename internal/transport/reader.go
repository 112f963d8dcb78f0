package transport

import (
	"time"
)

// reader is one GET's place in an exchange.
type reader struct {
	x        *exchange
	at       uint64        // the number of the last frame that it took
	replaced chan struct{} // closed when another GET reads in its place
}

// outcome says what a reader that took nothing is to do.
type outcome uint8

const (
	waits    outcome = iota // nothing to read now
	ends                    // nothing follows: the link has ended, or another GET reads
	overfull                // nothing follows until the client acknowledges
)

// read acknowledges the frames up to ack and begins to read after them, in place of an earlier GET.
func (x *exchange) read(ack uint64) (*reader, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.acknowledgeLocked(ack); err != nil {
		return nil, err
	}
	if x.reader != nil {
		close(x.reader.replaced)
	}
	x.heard = time.Now()
	x.reader = &reader{x: x, at: ack, replaced: make(chan struct{})}
	return x.reader, nil
}

// leave ends the reading. What is not acknowledged will be read again.
func (r *reader) leave() {
	x := r.x
	x.mu.Lock()
	if x.reader == r {
		x.reader, x.idle = nil, time.Now()
	}
	over := x.over
	x.mu.Unlock()
	if over {
		x.end() // this GET took the last words
	}
	x.Notify() // the token may have been meant for the GET that reads now
}

// take returns the frames that follow, about max bytes of them, and the number of the first. The caller must not modify them.
func (r *reader) take(max int) (frames [][]byte, first uint64, then outcome) {
	x := r.x
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.reader != r {
		return nil, 0, ends
	}
	from := r.fromLocked()
	for from == len(x.held) && !x.over && x.bytes < maxHeldBytes {
		if more := x.pullLocked(); !more {
			break
		}
	}
	first = r.at + 1
	for size := 0; from < len(x.held) && size < max; from++ {
		size += len(x.held[from])
		frames = append(frames, x.held[from])
	}
	r.at += uint64(len(frames))
	switch {
	case len(frames) > 0 || !x.over && x.bytes < maxHeldBytes:
		return frames, first, waits
	case x.over:
		return nil, 0, ends
	}
	return nil, 0, overfull
}

// fromLocked returns the index in held of the frame that follows. A POST may have acknowledged what this GET has written.
func (r *reader) fromLocked() int {
	r.at = max(r.at, r.x.first-1)
	return int(r.at + 1 - r.x.first)
}

// silentFor returns how long the client has asked for nothing.
func (r *reader) silentFor() time.Duration {
	r.x.mu.Lock()
	defer r.x.mu.Unlock()
	return time.Since(r.x.heard)
}
