package websocket

import (
	"net"
	"sync"
	"sync/atomic"
)

// Handler is the owner of a connection.
type Handler interface {
	// Message takes one message. The connection's reading goroutine calls it, so while it blocks nothing more is read:
	// that is backpressure to the peer, and the peer is not taken for dead meanwhile. A Message that may block for long
	// must also watch Conn.Done. The payload is valid during the call only, and the callee may modify it. op is OpText,
	// whose payload was checked to be UTF-8, or OpBinary.
	//
	// An error closes the connection, like Conn.Close: a *CloseError with its code and reason, anything else with
	// CloseInternal and no reason. Message is not called again after that, nor once Conn.Close was called.
	Message(op Opcode, payload []byte) error

	// Fill appends whole frames (see AppendHeader) to dst, about limit bytes of them, and reports whether it has more to
	// say; if it appended nothing, it has not. It is called by one goroutine at a time, concurrently with Message, after
	// Notify. It must not block: other connections wait for it. It may call the methods of Conn. Until Closed it is also
	// called for a connection that is lost, so that a Message that waits for it goes on; the bytes go nowhere.
	Fill(dst []byte, limit int) (out []byte, more bool)

	// Closed says that the connection is over and why: a *CloseError if a close frame ended it (the first, whoever sent
	// it), or else the error that did. It is called exactly once, when no other method is running, and none is called
	// afterwards.
	Closed(err error)
}

// Conn is one WebSocket connection. Its methods may be called by any goroutine.
//
// There may be very many that are idle, so what only a busy or an ending one needs is made when it does, and the fields of
// a few bits stand together.
type Conn struct {
	// Set by Upgrade, then read-only.
	server   *Server
	workers  *[lanes]*worker
	sock     socket
	handler  Handler
	protocol string
	deflate  bool // messages may be compressed, both ways

	// Owned by the reading goroutine.
	parser *parser // nil while nothing has come but whole messages
	growth growth

	// Owned by the wheel.
	pingDue, pongDue int64 // the next ping; when the peer must have been heard after the last, or zero
	spot             spot  // guarded by wheel.mu

	// Who may call Fill and write: see turn.go.
	turn     atomic.Uint32
	hearing  atomic.Uint32 // see liveness.go; written by the reading goroutine
	waiting  [lanes]*Conn  // the next in the list of each worker, and
	listed   [lanes]bool   // whether the connection is in it; each guarded by that worker's mu
	farewell uint8         // turns since Close; owned by the turn

	// Guarded by mu.
	phase    phase
	peerDone bool          // the peer sent its close frame
	peerEnd  bool          // the peer sends nothing any more, not even TCP
	failed   bool          // the peer broke the protocol, or was too slow: what it says is not parsed any more
	ping     bool          // a ping is due
	mu       sync.Mutex    // of the fields around
	pong     *[]byte       // payload of the pong that is due; nil for none
	end      *ending       // nil before anything of it is known
	lastTurn chan struct{} // closed when the last turn has ended; set by the reading goroutine while a turn is taken

	// Written by their owner (reading goroutine, turn), read by the wheel: see liveness.go. In slots of the wheel; zero: not.
	messageSince atomic.Int64
	stalledSince atomic.Int64
	closeBy      atomic.Int64
}

// ending is what is known of a connection's end.
type ending struct {
	parting *CloseError   // the close frame to send, from phaseDraining on
	cause   error         // why the connection ends; the first is kept
	done    chan struct{} // made by the first Done
	dead    bool          // done is closed, or would be
}

func newConn(s *Server, sock socket, agreed agreement) *Conn {
	c := &Conn{
		server: s, workers: s.pickWorkers(), sock: sock, protocol: agreed.protocol, deflate: agreed.extension != "",
	}
	c.turn.Store(turnTaken) // by Upgrade, until the handler is there
	return c
}

// Subprotocol returns the subprotocol that was agreed upon, or the empty string.
func (c *Conn) Subprotocol() string { return c.protocol }

// Compresses reports whether frames of AppendCompressed may be sent.
func (c *Conn) Compresses() bool { return c.deflate }

// RemoteAddr returns the address of the TCP peer.
func (c *Conn) RemoteAddr() net.Addr { return c.sock.remoteAddr() }

// Done returns a channel that is closed as soon as the connection is lost or over: maybe long before Handler.Closed, if
// Message is blocked.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.endLocked()
	if end.done == nil {
		end.done = make(chan struct{})
		if end.dead {
			close(end.done)
		}
	}
	return end.done
}

// Abort cuts the connection off at once: nothing more is sent, and the peer sees a reset. Handler.Closed follows, with err
// or with what ended the connection before. A nil err stands for ErrAborted.
func (c *Conn) Abort(err error) {
	if err == nil {
		err = ErrAborted
	}
	c.die(err)
	c.sock.abort()
}

// finish ends the connection after the closing handshake.
func (c *Conn) finish() {
	c.die(c.end.parting)
	c.sock.close()
}

// die keeps err if it is the first cause, and tells those that watch Done.
func (c *Conn) die(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.endLocked()
	if end.cause == nil {
		end.cause = err
	}
	if !end.dead {
		end.dead = true
		if end.done != nil {
			close(end.done)
		}
	}
}

func (c *Conn) endLocked() *ending {
	if c.end == nil {
		c.end = new(ending)
	}
	return c.end
}
