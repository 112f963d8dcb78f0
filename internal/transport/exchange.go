package transport

import (
	"bytes"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// Bounds of what an exchange holds for its client.
const (
	// maxHeldBytes of frames that are not acknowledged are held; beyond, the link is not asked for more.
	maxHeldBytes = 128 << 10
	// partingTime is how long a client has to come for the last words of a server that stops. Those who ask at intervals do
	// every 2 s.
	partingTime = 3 * time.Second
	// chunkBytes is about what the link is asked for at once.
	chunkBytes = 16 << 10
)

// exchange is to a session what a WebSocket connection is, made of requests: frames are numbered, and held until they are
// acknowledged. It is the link's transport.
type exchange struct {
	// Set before anyone knows the exchange, then read-only.
	sid  string
	link *session.Link

	up   upward
	news chan struct{} // holds a token when there may be something to read

	mu sync.Mutex
	// Guarded by mu.
	held   [][]byte   // lines that are not acknowledged
	first  uint64     // the number of held[0]
	bytes  int        // in held
	reader *reader    // the GET that gets frames; nil between two
	hello  wire.Hello // with which the session was opened, and the newest token; kept for another node
	heard  time.Time  // when the client last asked for something
	idle   time.Time  // since when there was no GET
	over   bool       // the link has ended: nothing will be added to held
	lost   bool       // the link was told so
	parted time.Time  // when it was over with words for the client that no GET was there to take
}

func newExchange() *exchange {
	now := time.Now()
	return &exchange{sid: newSID(), news: make(chan struct{}, 1), first: 1, heard: now, idle: now}
}

// Notify has the GET look for news.
func (x *exchange) Notify() {
	select {
	case x.news <- struct{}{}:
	default:
	}
}

// Close ends the link. What it had to say is held for the client for a while. If no GET is there to take it, the link is told
// a little later: a server that drains waits for its links, and would be gone when the client asks again.
func (x *exchange) Close(wire.Code, string) {
	x.mu.Lock()
	for more := !x.over; more; {
		more = x.pullLocked()
	}
	x.over = true
	waits := x.reader == nil && len(x.held) > 0 && !x.lost
	if waits {
		x.parted = time.Now()
	}
	x.mu.Unlock()
	if !waits {
		x.end()
	}
}

// end ends the link, and the GET once it has what is held. It is idempotent.
func (x *exchange) end() {
	x.mu.Lock()
	first := !x.lost
	x.over, x.lost = true, true
	x.mu.Unlock()
	if first {
		x.link.Lost()
	}
	x.Notify()
}

// untaken reports whether nobody came for a while for what the link said last.
func (x *exchange) untaken(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.lost && !x.parted.IsZero() && now.Sub(x.parted) >= partingTime
}

// pullLocked takes what the link has to say into held, and reports whether there may be more.
func (x *exchange) pullLocked() (more bool) {
	chunk, more := x.link.Fill(nil, chunkBytes)
	x.holdLocked(chunk)
	return more
}

// holdLocked adds lines to what is held.
func (x *exchange) holdLocked(text []byte) {
	x.bytes += len(text)
	for line := range bytes.Lines(text) {
		x.held = append(x.held, line)
	}
}

// hear notes a sign of life, and acknowledges the frames up to number ack. One that is older than what was acknowledged
// already means nothing: a POST may be repeated.
func (x *exchange) hear(ack uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return errNoExchange
	}
	x.heard = time.Now()
	if ack < x.first {
		return nil
	}
	defer x.Notify() // there may be room now
	return x.acknowledgeLocked(ack)
}

// acknowledgeLocked forgets the frames up to number ack. It fails if that frame was not there yet, or if ack went back.
func (x *exchange) acknowledgeLocked(ack uint64) error {
	if err := x.checkLocked(ack); err != nil {
		return err
	}
	n := int(ack + 1 - x.first)
	for _, line := range x.held[:n] {
		x.bytes -= len(line)
	}
	x.held, x.first = append([][]byte(nil), x.held[n:]...), ack+1
	return nil
}

// mayAcknowledge reports what is wrong with an ack.
func (x *exchange) mayAcknowledge(ack uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.checkLocked(ack)
}

func (x *exchange) checkLocked(ack uint64) error {
	switch {
	case ack+1 < x.first:
		return errAckBack
	case ack >= x.first+uint64(len(x.held)):
		return errAckAhead
	}
	return nil
}

// abandoned reports whether no GET was there for too long.
func (x *exchange) abandoned(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.reader == nil && now.Sub(x.idle) >= linger
}

// finished reports whether the link has ended and the client has everything.
func (x *exchange) finished() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over && len(x.held) == 0
}
