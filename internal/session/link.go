package session

import (
	"sync"

	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// Bounds of what one connection may have under way. Beyond, its requests wait, and with them the peer.
const (
	maxQueueBytes    = 64 << 10
	maxPublishes     = 256
	maxSubscriptions = 128
)

// Transport is a connection as a session sees it. Its methods never block.
type Transport interface {
	// Notify asks for Fill to be called.
	Notify()
	// Close ends the connection with code once what Fill has is sent.
	Close(code wire.Code, reason string)
}

// Encoder writes frames in one codec and framing.
type Encoder interface {
	hub.Encoder
	Frame(dst []byte, f wire.ServerFrame) []byte
}

// Link is a connection and what it carries: replies that wait to be sent, and the cursors of the subscriptions. There is
// no queue of publications: Fill reads them from where they are.
type Link struct {
	// Set by NewLink, then read-only.
	node      *Node
	transport Transport
	encoder   Encoder

	// Owned by the goroutine that calls Receive.
	handshake *Handshake // nil once the session is open
	sender    string     // names the client across reconnects; empty if it did not say

	mu sync.Mutex
	// Guarded by mu.
	session    *Session        // nil until hello
	queue      [][]byte        // encoded frames
	queued     int             // bytes in queue
	subs       []*subscription // at most maxSubscriptions
	calls      *calls          // nil before the first
	room       chan struct{}   // closed when there may be room; nil while nobody waits
	publishing uint16          // publishes that wait for the engine
	turn       uint8           // the subscription that is filled from first
	ending     bool            // bye is queued: nothing else follows
	over       bool            // the connection is gone
}

// subscription is a hub's subscription with what this client wants of it.
type subscription struct {
	*hub.Subscription
	last   int // publications before the newest at which a reset goes on
	noEcho bool
	moved  bool  // the position advanced over publications that were left out
	unsaid bool  // of a map: Synced is yet to be said
	pace   *pace // nil: as fast as the client reads
}

// Wake is called by the hub when a subscription may have news.
func (l *Link) Wake() { l.transport.Notify() }

// laterNotifier is a Transport whose connections take turns: NotifyLater is Notify where others may go first.
type laterNotifier interface{ NotifyLater() }

// WakeLater is called by the hub where others may go first.
func (l *Link) WakeLater() {
	if t, ok := l.transport.(laterNotifier); ok {
		t.NotifyLater()
	} else {
		l.transport.Notify()
	}
}

// Lost says that the connection is over. The session waits for a while to be resumed.
func (l *Link) Lost() {
	l.mu.Lock()
	subs, session := l.subs, l.session
	l.subs, l.queue, l.over = nil, nil, true
	if l.calls != nil {
		close(l.calls.gone)
	}
	l.signalLocked()
	l.mu.Unlock()
	for _, s := range subs {
		s.Leave()
	}
	if session != nil && session.detach(l) {
		l.node.left(session)
	}
	l.node.forget(l)
}

// Discard is Lost, and ends the session too: nobody was told how to resume it.
func (l *Link) Discard() {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s != nil {
		s.discard()
	}
	l.Lost()
}

// end says bye and has the connection closed. Only the first call counts.
func (l *Link) end(bye wire.Bye) {
	l.mu.Lock()
	first := !l.ending && !l.over
	if first {
		l.queueLocked(wire.ServerFrame{Body: bye})
		l.ending = true
		l.signalLocked()
	}
	l.mu.Unlock()
	if first {
		l.transport.Close(bye.Code, bye.Reason)
	}
}

// say queues a frame.
func (l *Link) say(f wire.ServerFrame) {
	l.mu.Lock()
	l.queueLocked(f)
	l.mu.Unlock()
	l.transport.Notify()
}

func (l *Link) queueLocked(f wire.ServerFrame) {
	if l.over || l.ending {
		return
	}
	b := l.encoder.Frame(nil, f)
	l.queue = append(l.queue, b)
	l.queued += len(b)
}

// beat queues a Ping for a client that asked for heartbeats, and reports whether the connection still is. A client that
// does not read gets none on top of what waits for it.
func (l *Link) beat() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.ending {
		return false
	}
	if len(l.queue) == 0 {
		l.queueLocked(wire.ServerFrame{Body: wire.Ping{}})
		l.transport.Notify()
	}
	return true
}

// Open reports whether the connection has a session.
func (l *Link) Open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session != nil
}

// awaitRoom waits until another request may be served, and reports false once the connection ends.
func (l *Link) awaitRoom() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.over && !l.ending && (l.queued >= maxQueueBytes || l.publishing >= maxPublishes) {
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		<-room
		l.mu.Lock()
	}
	return !l.over && !l.ending
}

// signalLocked lets awaitRoom look again.
func (l *Link) signalLocked() {
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}
