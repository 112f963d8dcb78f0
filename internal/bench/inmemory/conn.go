package inmemory

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// conn is a connection as the server sees it.
type conn struct {
	crowd  *Crowd
	number int // among the crowd's clients

	mu       sync.Mutex
	readable sync.Cond // of mu: inbox has something, or the connection is closed
	// Guarded by mu.
	inbox    []byte // what the server is yet to read
	accepted bool   // the handshake was answered
	arrived  bool   // the subscription was
	closed   bool
}

func newConn(c *Crowd, number int) *conn {
	nc := &conn{crowd: c, number: number}
	nc.readable.L = &nc.mu
	return nc
}

// Read waits for what the client says.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.inbox) == 0 && !c.closed {
		c.readable.Wait()
	}
	if c.closed {
		return 0, io.EOF
	}
	n := copy(p, c.inbox)
	if c.inbox = c.inbox[n:]; len(c.inbox) == 0 {
		c.inbox = nil
	}
	return n, nil
}

// TryWrite takes everything at once: there is no buffer that could be full.
func (c *conn) TryWrite(p []byte) (int, error) { return c.Write(p) }

// Write has the client look at what the server says.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if !c.accepted {
		c.handshakeLocked(p)
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		var f frame
		if f, rest = nextFrame(rest); rest == nil {
			c.crowd.fail("the server sent what is no whole frame")
		}
		c.takeLocked(f)
	}
	return len(p), nil
}

// handshakeLocked subscribes once the server has answered the handshake, which it does in one write.
func (c *conn) handshakeLocked(answer []byte) {
	c.accepted = true
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
		c.crowd.fail("the handshake was answered by " + string(answer))
		return
	}
	c.sayLocked(opText, fmt.Appendf(nil, `{"id":1,"sub":{"ch":"%s"}}`, c.crowd.channel(c.number)))
}

// takeLocked acts on a frame of the server's.
func (c *conn) takeLocked(f frame) {
	switch {
	case f.op == opPing:
		c.sayLocked(opPong, f.payload)
	case f.op == opText && !c.arrived && bytes.Contains(f.payload, []byte(`"subscribed"`)):
		c.arrived = true
		c.crowd.arrive()
	case f.op == opText && bytes.HasPrefix(f.payload, []byte(`{"pub":`)):
		c.crowd.deliver()
	default:
		c.crowd.fail("the server said " + string(f.payload))
	}
}

func (c *conn) sayLocked(op byte, payload []byte) {
	c.inbox = appendFrame(c.inbox, op, payload)
	c.readable.Signal()
}

// Close ends the connection. It is idempotent.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.readable.Signal()
	return nil
}

// address is that of everybody.
type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }

// The methods of a net.Conn that say nothing of interest: there are no addresses, and nothing waits that could time out.
func (c *conn) LocalAddr() net.Addr              { return address{} }
func (c *conn) RemoteAddr() net.Addr             { return address{} }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
