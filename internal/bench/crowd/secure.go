//go:build linux

package crowd

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// shakingAtOnce is how many TLS handshakes a loop has under way: they are work for a processor, so more are no faster.
	shakingAtOnce = 32
	// waitStep is how often a handshake that waits looks whether its loop has ended.
	waitStep = 100 * time.Millisecond
)

// tlsConfig does not check who the server is: the bench's own makes its certificate up.
func tlsConfig() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
}

// secure does the TLS handshake of a client on a goroutine of its own. Until it is done the loop leaves the client alone.
func (l *loop) secure(c *client) error {
	if err := l.watch(c, unix.EPOLL_CTL_MOD, 0); err != nil {
		return err
	}
	c.stage = stageSecuring
	socket := &patientSocket{ctx: l.ctx, fd: c.fd, patient: true}
	c.tls = tls.Client(socket, tlsConfig())
	l.securing.Go(func() {
		l.shaking <- struct{}{}
		err := c.tls.HandshakeContext(l.ctx)
		<-l.shaking
		socket.patient = false
		l.secured(c, err)
	})
	return nil
}

// secured goes on with a client after its TLS handshake.
func (l *loop) secured(c *client, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = l.shake(c)
	}
	if err != nil {
		l.lose(c, err)
	}
	l.rouse() // there may be room to connect another
}

// patientSocket is a non-blocking socket as crypto/tls takes it. While it is patient it waits; afterwards it returns
// errNothing, after which crypto/tls goes on where it was.
type patientSocket struct {
	net.Conn // nil: none of its other methods is called
	ctx      context.Context
	fd       int
	patient  bool // owned by whoever reads and writes
}

// errNothing says that there is nothing to read. It is a net.Error, and temporary, as crypto/tls wants it.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

func (s *patientSocket) Read(p []byte) (int, error) {
	for {
		n, err := readFD(s.fd, p)
		switch {
		case err == unix.EAGAIN && !s.patient:
			return 0, errNothing
		case err == unix.EAGAIN:
			if err := s.wait(unix.POLLIN); err != nil {
				return 0, err
			}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, errCut
		default:
			return n, nil
		}
	}
}

// Write writes all of p: there is always room for what a client says.
func (s *patientSocket) Write(p []byte) (int, error) {
	n, err := writeFD(s.fd, p)
	if err == unix.EAGAIN || err == nil && n < len(p) {
		return max(n, 0), errFull
	}
	return max(n, 0), err
}

// wait waits for an event, in steps, until the context ends.
func (s *patientSocket) wait(event int16) error {
	for s.ctx.Err() == nil {
		wait := []unix.PollFd{{Fd: int32(s.fd), Events: event}}
		n, err := unix.Poll(wait, int(waitStep.Milliseconds()))
		if n > 0 || err != nil && err != unix.EINTR {
			return err
		}
	}
	return context.Cause(s.ctx)
}

// The deadlines are those of the context.
func (s *patientSocket) SetDeadline(time.Time) error      { return nil }
func (s *patientSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *patientSocket) SetWriteDeadline(time.Time) error { return nil }

// Close leaves the socket to the loop.
func (s *patientSocket) Close() error { return nil }
