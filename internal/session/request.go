package session

import (
	"bytes"
	"cmp"
	"errors"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Receive serves one frame. It is called by one goroutine at a time; it waits while the client has too much under way
// or does not read its answers. f's data may alias a buffer that changes after the call.
func (l *Link) Receive(f wire.ClientFrame) {
	if !l.awaitRoom() {
		return
	}
	if err := l.serve(f); err != nil {
		l.refuse(f.ID, err)
	}
}

// Refuse answers a frame that could not be decoded. Its id is zero if that could not be read either.
func (l *Link) Refuse(id uint64, err error) {
	if l.awaitRoom() {
		l.refuse(id, err)
	}
}

func (l *Link) serve(f wire.ClientFrame) error {
	if hello, ok := f.Body.(wire.Hello); ok {
		return l.hello(f.ID, hello)
	}
	if l.handshake != nil {
		if err := l.greet(); err != nil {
			return err
		}
	}
	switch body := f.Body.(type) {
	case wire.Subscribe:
		return l.subscribe(f.ID, body)
	case wire.Unsubscribe:
		return l.unsubscribe(f.ID, body)
	case wire.Publish:
		return l.publish(f.ID, body)
	case wire.History:
		return l.history(f.ID, body)
	case wire.Refresh:
		return l.refresh(f.ID, body)
	case wire.Set:
		return l.set(f.ID, body)
	case wire.Delete:
		return l.remove(f.ID, body)
	case wire.Join:
		return l.join(f.ID, body)
	case wire.Leave:
		return l.leave(f.ID, body)
	case wire.Call:
		return l.call(f.ID, body)
	case wire.Result:
		l.result(f.ID, body)
	case wire.Ping:
		l.say(wire.ServerFrame{ID: f.ID, Body: wire.Pong{}})
	case wire.Pong:
	}
	return nil
}

// answer says body if the client wants an answer.
func (l *Link) answer(id uint64, body wire.ServerBody) {
	if id != 0 {
		l.say(wire.ServerFrame{ID: id, Body: body})
	}
}

// refuse tells the client what went wrong. What is no protocol error is logged, and only its kind is told.
func (l *Link) refuse(id uint64, err error) {
	p := l.protocolError(err)
	reason := cmp.Or(p.Reason, p.Code.Text())
	l.say(wire.ServerFrame{ID: id, Body: wire.Error{Code: p.Code, Reason: reason, RetryAfter: p.RetryAfter}})
}

func (l *Link) protocolError(err error) *wire.ProtocolError {
	var p *wire.ProtocolError
	if errors.As(err, &p) {
		return p
	}
	if code, ok := engineCode(err); ok {
		return &wire.ProtocolError{Code: code}
	}
	l.node.Log.Error("request failed", "session", l.sessionID(), "error", err)
	return &wire.ProtocolError{Code: wire.CodeInternal}
}

func (l *Link) sessionID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session == nil {
		return ""
	}
	return l.session.id
}

// publish proposes a message; the answer follows when it is committed.
func (l *Link) publish(id uint64, p wire.Publish) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	if err := l.node.Policy.Publish(ctx, l.session, &p); err != nil {
		return err
	}
	p.Data.Body = bytes.Clone(p.Data.Body)
	l.propose(id, engine.Proposal{Channel: p.Channel, Idem: p.Idem, Message: p.Message})
	return nil
}

// propose hands a proposal of the client to the engine. It waits while the engine has no room.
func (l *Link) propose(id uint64, p engine.Proposal) { l.proposeThen(id, p, func(error) {}) }

// proposeThen is propose, and calls then with the outcome, before the client is answered.
func (l *Link) proposeThen(id uint64, p engine.Proposal, then func(error)) {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	l.mu.Lock()
	l.publishing++
	l.mu.Unlock()
	p.User, p.Sender = l.session.user, l.sender
	l.node.Engine.Publish(ctx, p, func(r engine.Receipt, err error) {
		then(err)
		l.published(id, p.Channel, r, err)
	})
}

// published answers a publish. It runs on a goroutine of the engine.
func (l *Link) published(id uint64, channel string, r engine.Receipt, err error) {
	l.mu.Lock()
	l.publishing--
	l.signalLocked()
	l.mu.Unlock()
	if err != nil {
		l.refuse(id, err)
		return
	}
	l.answer(id, published(channel, r))
}

// published returns a receipt as it goes over the wire.
func published(channel string, r engine.Receipt) wire.Published {
	return wire.Published{
		Channel: channel, Position: r.Position.String(), Offset: r.Position.Offset,
		Duplicate: r.Duplicate, Durability: r.Durability.String(),
	}
}

// history answers with a page.
func (l *Link) history(id uint64, h wire.History) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	if err := l.node.Policy.History(ctx, l.session, h.Channel); err != nil {
		return err
	}
	page, err := ReadPage(ctx, l.node.Engine, h)
	if err != nil {
		return err
	}
	l.answer(id, page)
	return nil
}

// engineCode returns the code for an engine's error.
func engineCode(err error) (wire.Code, bool) {
	for _, row := range []struct {
		err  error
		code wire.Code
	}{
		{engine.ErrIdemReused, wire.CodeIdemReused},
		{engine.ErrDiskFull, wire.CodeDiskFull},
		{engine.ErrUnavailable, wire.CodeUnavailable},
		{engine.ErrClosed, wire.CodeDraining},
		{engine.ErrNoHistory, wire.CodeNoHistory},
		{engine.ErrBadPosition, wire.CodeBadPosition},
		{engine.ErrVersionMismatch, wire.CodeVersionMismatch},
		{engine.ErrTooManyKeys, wire.CodeTooManyKeys},
	} {
		if errors.Is(err, row.err) {
			return row.code, true
		}
	}
	return 0, false
}
