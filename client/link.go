package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/earshot/earshot/wire"
)

// maxControl bounds the frames of subscriptions and liveness that wait to be written. Only a server that has stopped
// reading lets them gather.
const maxControl = 1024

// link is one connection, from the handshake to its end.
type link struct {
	// Set by dial, then read-only.
	conn    carrier
	welcome wire.Welcome
	ctx     context.Context
	cancel  context.CancelCauseFunc
	opened  time.Time
	wake    chan struct{}      // holds a token when there may be something to write
	renewed chan time.Duration // the answer to a Refresh: how long the token is good

	heardAt atomic.Int64 // when something last came, as nanoseconds since opened
	tasks   sync.WaitGroup

	// Guarded by Client.mu.
	lastID  uint64
	control []wire.ClientFrame
	calls   map[uint64]*call
	joins   map[uint64]*Subscription
	said    map[uint64]*standing
}

func (c *Client) newLink() *link {
	l := &link{
		opened:  time.Now(),
		wake:    make(chan struct{}, 1),
		renewed: make(chan time.Duration, 1),
		lastID:  helloID,
		calls:   make(map[uint64]*call),
		joins:   make(map[uint64]*Subscription),
		said:    make(map[uint64]*standing),
	}
	l.ctx, l.cancel = context.WithCancelCause(c.hard)
	return l
}

// heard notes that the server is alive.
func (l *link) heard() { l.heardAt.Store(int64(time.Since(l.opened))) }

// silence returns how long nothing has come.
func (l *link) silence() time.Duration {
	return time.Since(l.opened) - time.Duration(l.heardAt.Load())
}

// read returns the next frame, without a body if it is of a kind that only newer clients know. A frame that is not valid
// is an error.
func (l *link) read(ctx context.Context) (wire.ServerFrame, error) {
	text, err := l.conn.receive(ctx)
	if err != nil {
		return wire.ServerFrame{}, err
	}
	f, err := wire.JSON.DecodeServerFrame(text)
	if err != nil && !errors.Is(err, wire.ErrUnknownFrame) {
		// Not wrapped: what is wrong with a frame of the server's is no refusal by the server.
		return wire.ServerFrame{}, fmt.Errorf("server sent a malformed frame: %v", err)
	}
	return f, nil
}

// closeError returns the server's close code, if it is one of Earshot's, as an Error.
func closeError(err error) error {
	if code := websocket.CloseStatus(err); code >= 4000 && code < 5000 {
		return &Error{Code: wire.Code(code)}
	}
	return err
}

// poke makes the writer look for frames.
func (l *link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// nextIDLocked returns an id that no frame of this link has had.
func (l *link) nextIDLocked() uint64 {
	l.lastID++
	return l.lastID
}

// sendLocked queues a frame ahead of publishes and history reads.
func (l *link) sendLocked(f wire.ClientFrame) {
	if len(l.control) >= maxControl {
		l.cancel(errBacklog)
		return
	}
	l.control = append(l.control, f)
	l.poke()
}
