package client

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/earshot/earshot/wire"
)

const (
	// steadyAfter is how long a session must last to count as a success, so that a server that accepts and drops is
	// not called at full speed.
	steadyAfter = 5 * time.Second
	// maxNamedWait caps the delay that a server may name.
	maxNamedWait = 10 * time.Minute
	// maxExpiredTokens is how often in a row a fresh token may be refused as expired.
	maxExpiredTokens = 3
)

// backoff chooses waits with full jitter: the n-th is anything from zero to base times 2^n, at most max.
type backoff struct {
	base, max time.Duration
	attempt   int
}

func (b *backoff) next() time.Duration {
	ceiling := b.max
	// The bound keeps the shift from overflowing: 2^30 of any base of a nanosecond or more is over a second.
	if b.attempt < 30 {
		ceiling = min(ceiling, b.base<<b.attempt)
	}
	b.attempt++
	return rand.N(max(ceiling, 1))
}

// after returns the wait before the next try when the last one ended with err: at once if the server says so, though not
// twice in a row.
func (b *backoff) after(err error) time.Duration {
	var e *Error
	if !errors.As(err, &e) {
		return b.next()
	}
	if e.Code >= wire.CloseReconnect && e.Code < 4300 && b.attempt == 0 {
		b.attempt++
		return 0
	}
	return min(max(e.RetryAfter, 0), maxNamedWait) + b.next()
}

// returning decides whether and when a client comes back.
type returning struct {
	tries   backoff
	tokens  bool // there is a source of fresh tokens
	expired int  // tokens in a row that were refused as expired
}

// after returns the wait before the next try when a connection that had a session for so long (zero: never) ended with
// err, or false if the client must not come back.
func (r *returning) after(served time.Duration, err error) (wait time.Duration, ok bool) {
	if served >= steadyAfter {
		r.tries.attempt = 0
	}
	if served > 0 {
		r.expired = 0
	}
	var e *Error
	if errors.As(err, &e) && !r.mayReturn(e.Code) {
		return 0, false
	}
	return r.tries.after(err), true
}

func (r *returning) mayReturn(code wire.Code) bool {
	switch {
	case code >= 4000:
		return code.Returns()
	case code == wire.CodeTokenExpired:
		r.expired++
		return r.tokens && r.expired < maxExpiredTokens
	}
	return code.Temporary()
}
