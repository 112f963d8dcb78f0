//go:build linux

package crowd

import (
	"crypto/tls"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// stage is how far a client is.
type stage uint8

const (
	stageConnecting stage = iota
	stageSecuring         // TLS's handshake is under way
	stageShaking          // the handshake is sent
	stageGreeting         // hello is sent, and its answer is awaited
	stageJoining          // subscriptions are sent
	stageArrived
	stageGone
)

// client is one connection. Guarded by its loop's lock.
type client struct {
	fd     int
	number int   // among the order's clients
	slot   int32 // in the loop
	stage  stage
	began  int64     // Stamp of the attempt
	tls    *tls.Conn // nil without TLS
	rest   []byte    // of what came: not yet a whole frame, or handshake

	joined    int // subscriptions that were answered
	delivered int
	seq       uint64 // of the last delivery, where the client has one channel
}

var errCut = errors.New("the server cut the connection")

var errFull = errors.New("the server does not read what its client says")

// stuck reports whether the client is one of those that read nothing.
func (l *loop) stuck(c *client) bool { return c.number < l.order.Stuck }

// ready acts on a socket that is connected, or readable.
func (l *loop) ready(c *client) error {
	if c.stage == stageConnecting {
		return l.connected(c)
	}
	for {
		data, err := l.read(c)
		if err != nil || len(data) == 0 {
			return err
		}
		if err := l.receive(c, data); err != nil || c.tls == nil {
			return err
		}
		// TLS may hold more that it has read, of which epoll knows nothing.
	}
}

// receive takes what came, with what was left over from before.
func (l *loop) receive(c *client, data []byte) error {
	if c.stage == stageShaking {
		rest, ok, err := accepted(data)
		if err != nil || !ok {
			c.keep(data)
			return err
		}
		if err := l.introduce(c); err != nil {
			return err
		}
		data = rest
	}
	l.now = Stamp()
	rest, err := eachFrame(data, func(op byte, payload []byte) error { return l.frame(c, op, payload) })
	c.keep(rest)
	return err
}

// read returns what came together with what was left over from before. It is valid until the next call.
func (l *loop) read(c *client) ([]byte, error) {
	n := copy(l.buf, c.rest)
	if n == len(l.buf) {
		return nil, errFrame
	}
	got, err := c.readSome(l.buf[n:])
	switch {
	case err == unix.EAGAIN || errors.Is(err, errNothing):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case got == 0:
		return nil, errCut
	}
	l.tally.Bytes += int64(got)
	return l.buf[:n+got], nil
}

func (c *client) readSome(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Read(p)
	}
	return readFD(c.fd, p)
}

// keep copies what is not yet whole.
func (c *client) keep(rest []byte) {
	c.rest = append(c.rest[:0], rest...)
}

// write sends a few bytes: there is always room for them, unless the server reads nothing.
func (c *client) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if c.tls != nil {
		_, err := c.tls.Write(p)
		return err
	}
	switch n, err := writeFD(c.fd, p); {
	case err == unix.EAGAIN || err == nil && n < len(p):
		return errFull
	case err != nil:
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
