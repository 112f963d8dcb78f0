package session

import (
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// Fill appends what the connection has to say to dst, about max bytes, and reports whether there may be more: replies
// first, then from each subscription in turn, starting with another one each time.
func (l *Link) Fill(dst []byte, max int) (out []byte, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := len(dst) + max
	dst = l.fillQueueLocked(dst, limit)
	if len(l.queue) > 0 {
		return dst, true
	}
	if l.ending {
		return dst, false
	}
	for i := range l.subs {
		at := (int(l.turn) + i) % len(l.subs)
		dst, more = l.fillFromLocked(l.subs[at], dst, limit)
		if more {
			l.turn = uint8(at + 1)
			return dst, true
		}
	}
	return dst, false
}

// fillQueueLocked takes whole frames: the transport may put its own between two calls.
func (l *Link) fillQueueLocked(dst []byte, limit int) []byte {
	n := 0
	for n < len(l.queue) && (n == 0 || len(dst)+len(l.queue[n]) <= limit) {
		dst = append(dst, l.queue[n]...)
		l.queued -= len(l.queue[n])
		n++
	}
	if n == len(l.queue) {
		l.queue = nil
	} else {
		l.queue = l.queue[n:]
	}
	if n > 0 {
		l.signalLocked()
	}
	return dst
}

// fillFromLocked takes what the subscription has, and reports whether dst was full first.
func (l *Link) fillFromLocked(s *subscription, dst []byte, limit int) (out []byte, full bool) {
	if s.pace.early(l) {
		return dst, false
	}
	for len(dst) < limit {
		ev, ok := s.Next()
		if !ok {
			s.pace.rest()
			return l.saySynced(s, l.sayMoved(s, dst)), false
		}
		s.pace.deliver()
		dst = l.saySynced(s, l.appendEvent(s, dst, ev))
	}
	return dst, true
}

func (l *Link) appendEvent(s *subscription, dst []byte, ev hub.Event) []byte {
	switch {
	case ev.Reset != "":
		s.moved, s.unsaid = false, s.Kind() == engine.KindMap
		reset := wire.Reset{Channel: s.Channel(), Position: s.Position().String(), Why: ev.Reset}
		return l.encoder.Frame(dst, wire.ServerFrame{Body: reset})
	case ev.Missed > 0:
		missed := wire.Missed{Channel: s.Channel(), Count: ev.Missed, Position: s.Position().String()}
		return l.encoder.Frame(dst, wire.ServerFrame{Body: missed})
	case s.noEcho && ev.Entry.Sender == l.sender:
		s.moved = true
		return dst
	}
	s.moved = false
	return append(dst, ev.Entry.Encoded(s.Channel(), l.encoder)...)
}

// saySynced says of a map, once, that the reader has all of it.
func (l *Link) saySynced(s *subscription, dst []byte) []byte {
	if !s.unsaid || !s.Synced() {
		return dst
	}
	s.unsaid = false
	synced := wire.Synced{Channel: s.Channel(), Position: s.Position().String()}
	return l.encoder.Frame(dst, wire.ServerFrame{Body: synced})
}

// sayMoved tells the position if the last publications were left out.
func (l *Link) sayMoved(s *subscription, dst []byte) []byte {
	if !s.moved {
		return dst
	}
	s.moved = false
	moved := wire.Moved{Channel: s.Channel(), Position: s.Position().String()}
	return l.encoder.Frame(dst, wire.ServerFrame{Body: moved})
}
