package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/earshot/earshot/wire"
)

// maxCalls is how many calls one connection may have under way in each direction.
const maxCalls = 64

// calls are those that a connection has under way. A connection without calls has none of it.
type calls struct {
	gone chan struct{} // closed when the connection is lost

	mu     sync.Mutex
	made   int                         // by the client
	asked  map[uint64]chan wire.Result // of the client, by the id of the server's frame
	lastID uint64
}

// callsOf returns the connection's calls, made on first use.
func (l *Link) callsOf() *calls {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = &calls{gone: make(chan struct{})}
		if l.over {
			close(l.calls.gone)
		}
	}
	return l.calls
}

// begin counts a call that the client makes, and reports whether it may.
func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made >= maxCalls {
		return false
	}
	c.made++
	return true
}

func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made--
}

// ask notes a call of the client, and returns where its answer will come.
func (c *calls) ask() (id uint64, answer chan wire.Result, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) >= maxCalls {
		return 0, nil, false
	}
	if c.asked == nil {
		c.asked = make(map[uint64]chan wire.Result)
	}
	c.lastID++
	answer = make(chan wire.Result, 1)
	c.asked[c.lastID] = answer
	return c.lastID, answer, true
}

// take returns where the answer to the call id is waited for, once.
func (c *calls) take(id uint64) (chan wire.Result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := c.asked[id]
	delete(c.asked, id)
	return answer, ok
}

// call serves a client's call. The answer follows; meanwhile other frames are served.
func (l *Link) call(id uint64, c wire.Call) error {
	calls := l.callsOf()
	if !calls.begin() {
		return wire.Errorf(wire.CodeTooManyCalls, "a connection has at most %d calls under way", maxCalls)
	}
	c.Data.Body = bytes.Clone(c.Data.Body)
	l.node.working.Go(func() {
		defer calls.end()
		ctx, cancel := context.WithTimeout(l.node.work, cmp.Or(c.Timeout, wire.DefaultCallTimeout))
		defer cancel()
		data, err := l.node.answer(ctx, l.session, c)
		switch {
		case err == nil:
			l.answer(id, wire.Returned{Data: data})
		case errors.Is(err, context.DeadlineExceeded):
			l.refuse(id, &wire.ProtocolError{Code: wire.CodeTimeout})
		default:
			l.refuse(id, err)
		}
	})
	return nil
}

// result takes the client's answer to a call of the server. One that nobody waits for any more is dropped.
func (l *Link) result(id uint64, r wire.Result) {
	if answer, ok := l.callsOf().take(id); ok {
		r.Data.Body = bytes.Clone(r.Data.Body)
		answer <- r
	}
}

// answer has a call answered by the application, or by the session that it is for: once for each idempotency id.
func (n *Node) answer(ctx context.Context, s *Session, c wire.Call) (wire.Data, error) {
	return n.answers.once(ctx, s, c, func() (wire.Data, error) {
		if c.To == "" {
			return n.Policy.Call(ctx, s, c)
		}
		if err := n.Policy.CallSession(ctx, s, c); err != nil {
			return wire.Data{}, err
		}
		return n.Ask(ctx, c.To, wire.Invocation{From: s.id, User: s.user, Method: c.Method, Data: c.Data})
	})
}

// Ask calls a session of this node and waits for its answer until ctx ends. It fails with CodeNoSession if there is no
// such session or it has no connection, and with CodeCallFailed if it answers with an error.
func (n *Node) Ask(ctx context.Context, session string, c wire.Invocation) (wire.Data, error) {
	if n.Peers != nil && n.sessions.linkOf(session) == nil {
		return n.askElsewhere(ctx, session, c)
	}
	return n.askHere(ctx, session, c)
}

// askHere calls a session of this node.
func (n *Node) askHere(ctx context.Context, session string, c wire.Invocation) (wire.Data, error) {
	link := n.sessions.linkOf(session)
	if link == nil {
		return wire.Data{}, &wire.ProtocolError{Code: wire.CodeNoSession}
	}
	calls := link.callsOf()
	id, answer, ok := calls.ask()
	if !ok {
		return wire.Data{}, wire.Errorf(wire.CodeTooManyCalls, "the session has %d calls to answer", maxCalls)
	}
	defer calls.take(id)
	if deadline, ok := ctx.Deadline(); ok {
		c.Timeout = max(time.Until(deadline).Truncate(time.Millisecond), time.Millisecond)
	}
	link.say(wire.ServerFrame{ID: id, Body: c})
	select {
	case r := <-answer:
		if r.Error != "" {
			return wire.Data{}, &wire.ProtocolError{Code: wire.CodeCallFailed, Reason: r.Error}
		}
		return r.Data, nil
	case <-calls.gone:
		return wire.Data{}, &wire.ProtocolError{Code: wire.CodeNoSession}
	case <-ctx.Done():
		return wire.Data{}, ctx.Err()
	}
}
