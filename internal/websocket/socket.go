package websocket

import (
	"errors"
	"net"
)

// socket is how a connection reads and writes. Only close and abort may be called concurrently with everything; of the
// others, one that reads and one that writes may run at a time.
type socket interface {
	// read waits for bytes and returns them; they are the caller's until release. At the end it returns io.EOF.
	read() ([]byte, error)
	// release gives back what read returned.
	release()
	// tryWrite writes what the socket takes without waiting, maybe nothing.
	tryWrite(p []byte) (int, error)
	// write writes p, waiting for the peer to make room, and calls progress whenever the socket took some.
	write(p []byte, progress func()) error
	// closeWrite tells the peer that no more comes, and reports whether it could.
	closeWrite() bool
	// close closes the socket; what was written is still sent. It may be called again.
	close()
	// abort closes the socket at once and drops what is unsent. It may be called again, and after close.
	abort()
	remoteAddr() net.Addr
}

// abortConn closes nc without a TLS farewell, which could wait, and resets the TCP connection below it.
func abortConn(nc net.Conn) {
	for {
		wrapped, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = wrapped.NetConn()
	}
	if tcp, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // fails if it is closed already, which is as well
	}
	_ = nc.Close() // likewise
}

// closeWriteOf ends the writing side of nc, if it has a way to.
func closeWriteOf(nc net.Conn) bool {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok {
		return false
	}
	err := half.CloseWrite()
	return err == nil || errors.Is(err, net.ErrClosed)
}
