package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// errMoving is the answer to a POST that meets an exchange which is about to leave this node.
var errMoving = errors.New("the exchange is moving to another node")

// errBusy is the answer to a GET that has to wait because the exchange cannot move now.
var errBusy = &wire.ProtocolError{
	Code: wire.CodeUnavailable, Reason: "requests of the session are under way on another server", RetryAfter: time.Second,
}

// settleTimeout is how long a move waits for requests that are under way.
const settleTimeout = time.Second

// lookUp returns the exchange, or whether it has left this node a moment ago.
func (t *HTTP) lookUp(sid string) (x *exchange, moved bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, moved = t.moved[sid]
	return t.exchanges[sid], moved
}

// handOver ends x on this node and returns what another needs to go on with it.
func (t *HTTP) handOver(ctx context.Context, x *exchange, ack uint64) (*parcel, error) {
	if err := x.mayAcknowledge(ack); err != nil {
		return nil, err
	}
	if t.takeAway(x.sid) == nil {
		return nil, errMoving // another GET was first
	}
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	p, err := x.pack(ctx)
	if err != nil {
		t.keep(x)
		return nil, fmt.Errorf("hand an exchange over: %w", err)
	}
	return p, nil
}

// takeAway forgets the exchange, and remembers that it was here.
func (t *HTTP) takeAway(sid string) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.exchanges[sid]
	if x != nil {
		delete(t.exchanges, sid)
		t.moved[sid] = time.Now()
	}
	return x
}

// keep takes an exchange back that could not leave.
func (t *HTTP) keep(x *exchange) {
	x.up.open()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.moved, x.sid)
	t.exchanges[x.sid] = x
}

// pack ends x once nothing is under way any more. If it fails, x is as it was, but takes no POSTs.
func (x *exchange) pack(ctx context.Context) (*parcel, error) {
	n, err := x.up.shut(ctx)
	if err != nil {
		return nil, err
	}
	passport, err := x.link.Depart(ctx)
	if errors.Is(err, session.ErrBusy) {
		return nil, errBusy
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	p := &parcel{Passport: passport, Hello: x.hello, First: x.first, N: n, Over: err != nil}
	x.holdLocked(passport.Said)
	p.Held, p.Passport.Said = x.held, nil
	x.over = true
	if x.reader != nil {
		close(x.reader.replaced)
		x.reader = nil
	}
	return p, nil
}

// fetch moves the exchange sid here, for r.
func (t *HTTP) fetch(r *http.Request, sid string, ack uint64) (*exchange, error) {
	reply, err := t.send(r.Context(), errand{SID: sid, Move: true, Ack: ack})
	switch {
	case err != nil:
		return nil, err
	case reply.Refusal != nil:
		return nil, reply.Refusal
	case reply.Parcel == nil:
		return nil, errNoExchange
	}
	return t.unpack(r, sid, reply.Parcel)
}

// unpack goes on with an exchange of another node.
func (t *HTTP) unpack(r *http.Request, sid string, p *parcel) (*exchange, error) {
	x := newExchange()
	x.sid, x.hello, x.first, x.over = sid, p.Hello, p.First, p.Over
	x.up.resume(p.N)
	for _, line := range p.Held {
		x.holdLocked(line) // nobody else knows x yet
	}
	x.link = t.node.NewLink(x, lines{wire.JSON}, handshake(r))
	if err := x.arrive(p); err != nil {
		t.log.Info("a session that came from another node cannot go on", "session", p.Passport.Session, "error", err)
		x.end()
		return nil, errNoExchange // the client opens anew, and says who it is
	}
	if !t.add(x) {
		x.end()
		return nil, errFull
	}
	return x, nil
}

// arrive has the link go on with its session, unless all is over but for what is held.
func (x *exchange) arrive(p *parcel) error {
	if x.over {
		return nil
	}
	x.link.Connected()
	return x.link.Arrive(p.Hello, p.Passport)
}
