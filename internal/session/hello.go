package session

import (
	"github.com/earshot/earshot/wire"
)

// hello opens the session, or goes on with an earlier one.
func (l *Link) hello(id uint64, h wire.Hello) error {
	if l.handshake == nil {
		return &wire.ProtocolError{Code: wire.CodeHelloTwice}
	}
	resumed, err := l.openSession(h)
	if err != nil {
		return err
	}
	if h.Heartbeat > 0 {
		l.node.heartbeats.add(l, h.Heartbeat)
	}
	l.answer(id, wire.Welcome{
		Session: l.session.id, Resume: l.session.resumeSecret(), User: l.session.user,
		Resumed: resumed, Heartbeat: h.Heartbeat, Expires: l.session.expires(),
	})
	return nil
}

// greet opens an anonymous session for a client that did not say hello.
func (l *Link) greet() error {
	_, err := l.openSession(wire.Hello{})
	return err
}

func (l *Link) openSession(h wire.Hello) (resumed bool, err error) {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	who, err := l.node.Policy.Connect(ctx, *l.handshake, h)
	if err != nil {
		return false, err
	}
	if l.node.revoked(who.User, who.Claims) {
		return false, errRevoked
	}
	s := l.resume(h.Resume, who)
	if resumed = s != nil; resumed {
		s.renew(who.Claims)
	} else {
		s = newSession(l.node, who)
		s.attach(l)
		l.node.sessions.add(s)
	}
	if l.node.revoked(who.User, who.Claims) { // meanwhile: whoever ended its sessions may have missed this one
		s.discard()
		return false, errRevoked
	}
	l.mu.Lock()
	l.session = s
	gone := l.over
	l.mu.Unlock()
	if gone && s.detach(l) {
		l.node.left(s)
	}
	l.handshake, l.sender = nil, h.Sender
	return resumed, nil
}

// resume takes over the session that secret names, if it is of the same user, and ends its earlier connection.
func (l *Link) resume(secret string, who Identity) *Session {
	if secret == "" {
		return nil
	}
	s := l.node.sessions.find(secret)
	if s == nil || s.user != who.User {
		return nil
	}
	before, ok := s.attach(l)
	if !ok {
		return nil
	}
	if before != nil {
		before.end(wire.Bye{Code: wire.CloseMoved})
	}
	return s
}

// refresh takes a new token of the same user. Subscriptions that it no longer allows have ended before the answer.
func (l *Link) refresh(id uint64, r wire.Refresh) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	who, err := l.node.Policy.Connect(ctx, Handshake{}, wire.Hello{Token: r.Token})
	if err != nil {
		return err
	}
	if who.User != l.session.user {
		return wire.Errorf(wire.CodeUnauthorized, "the token is of another user")
	}
	changed := l.session.renew(who.Claims)
	if l.node.revoked(who.User, who.Claims) {
		l.session.Disconnect(wire.CloseUnauthorized, ReasonRevoked)
		return nil
	}
	if changed {
		l.session.recheck()
	}
	l.answer(id, wire.Refreshed{Expires: l.session.expires()})
	return nil
}
