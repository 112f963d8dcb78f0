package client

import (
	"errors"
	"fmt"

	"github.com/earshot/earshot/wire"
)

// receive reads frames and acts on them until the connection ends. It returns the server's reason, if it gave one.
func (c *Client) receive(l *link) error {
	for {
		f, err := l.read(l.ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if bye, ok := f.Body.(wire.Bye); ok {
			return &Error{Code: bye.Code, Reason: bye.Reason, RetryAfter: bye.Delay}
		}
		if err := c.act(l, f); err != nil {
			return err
		}
	}
}

// act does what one frame asks for. Frames and ids that it does not know are ignored, as the protocol wants it.
func (c *Client) act(l *link, f wire.ServerFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch b := f.Body.(type) {
	case wire.Publication:
		c.deliverLocked(l, b.Channel, fromWire(b))
	case wire.Reset:
		c.deliverLocked(l, b.Channel, Reset(b))
	case wire.Missed:
		c.deliverLocked(l, b.Channel, Missed(b))
	case wire.Moved:
		if s := c.subs[b.Channel]; s != nil && s.phase == phaseLive {
			s.moveLocked(b.Position)
		}
	case wire.Synced:
		if s := c.subs[b.Channel]; s != nil && s.phase == phaseLive {
			s.syncLocked(b.Position)
		}
	case wire.Subscribed:
		if s := l.takeJoinLocked(f.ID); s != nil {
			s.joinedLocked(b)
		}
	case wire.Unsubscribed:
		if s := c.subs[b.Channel]; f.ID == 0 && s != nil && s.phase == phaseLive {
			s.refusedLocked(l, &Error{Code: b.Code, Reason: b.Reason})
		}
	case wire.Published, wire.Page, wire.Returned:
		c.answeredLocked(l, f.ID, b)
	case wire.Invocation:
		c.invokeLocked(l, f.ID, b)
	case wire.Error:
		return c.refusedLocked(l, f.ID, &Error{Code: b.Code, Reason: b.Reason, RetryAfter: b.RetryAfter})
	case wire.Refreshed:
		select {
		case l.renewed <- b.Expires:
		default: // an answer to what was not asked
		}
	case wire.Ping:
		l.sendLocked(wire.ClientFrame{Body: wire.Pong{}})
	}
	return nil
}

// answeredLocked gives an answer to whoever asked.
func (c *Client) answeredLocked(l *link, id uint64, body wire.ServerBody) {
	if call := l.takeCallLocked(id); call != nil {
		c.answerLocked(call, answer{body: body, via: l})
		return
	}
	s := l.takeSaidLocked(id)
	if published, ok := body.(wire.Published); ok && s != nil {
		s.saidLocked(c, l, published)
	}
}

func (c *Client) deliverLocked(l *link, channel string, ev Event) {
	if s := c.subs[channel]; s != nil && s.phase == phaseLive {
		s.pushLocked(l, ev)
	}
}

// refusedLocked gives a refusal to whoever asked. An expired token ends the connection instead: the next one brings a
// fresh token, and asks again.
func (c *Client) refusedLocked(l *link, id uint64, e *Error) error {
	if e.Code == wire.CodeTokenExpired {
		return e
	}
	if s := l.takeJoinLocked(id); s != nil {
		s.refusedLocked(l, e)
		return nil
	}
	if call := l.takeCallLocked(id); call != nil {
		c.answerLocked(call, answer{err: e, via: l})
		return nil
	}
	if s := l.takeSaidLocked(id); s != nil {
		s.unsaidLocked(c, l, e)
		return nil
	}
	if id == 0 {
		c.log.Warn("the server refused a frame", "code", e.Code, "reason", e.Reason)
	}
	return nil
}

func (l *link) takeJoinLocked(id uint64) *Subscription {
	s := l.joins[id]
	delete(l.joins, id)
	if s == nil || s.joinID != id {
		return nil
	}
	return s
}

func (l *link) takeCallLocked(id uint64) *call {
	call := l.calls[id]
	delete(l.calls, id)
	return call
}

func (l *link) takeSaidLocked(id uint64) *standing {
	s := l.said[id]
	delete(l.said, id)
	return s
}

// isRefusal reports whether err is the server's answer that repeating will not help.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.Code.Temporary()
}
