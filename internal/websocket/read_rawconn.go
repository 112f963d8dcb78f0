//go:build unix

package websocket

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// readBytes is how much is read at once. A buffer is held while its bytes are being handled, not while waiting.
const readBytes = 8 << 10

// readBuffer is what one read brought.
type readBuffer struct {
	data [readBytes]byte
	n    int
	err  error
}

var readBuffers = sync.Pool{New: func() any { return new(readBuffer) }}

// newSocket returns the socket of a connection. Only a real TCP connection can be read without a buffer: of a wrapped one
// it is not known what the wrapper does to the bytes.
func newSocket(nc net.Conn) socket {
	if tcp, ok := nc.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			s := &rawSocket{tcp: tcp, raw: raw}
			s.readable = s.readNow
			return s
		}
	}
	return &blockingSocket{conn: nc}
}

// rawSocket is a plain TCP connection. It waits for readiness in the runtime's poller, and takes a buffer when there is
// something to read.
type rawSocket struct {
	tcp      *net.TCPConn
	raw      syscall.RawConn
	readable func(fd uintptr) bool // readNow, bound once

	buf *readBuffer // held from read to release; owned by the reading goroutine
}

func (s *rawSocket) read() ([]byte, error) {
	if err := s.raw.Read(s.readable); err != nil {
		return nil, err
	}
	if err := s.buf.err; err != nil {
		s.release()
		return nil, err
	}
	return s.buf.data[:s.buf.n], nil
}

// readNow reads what is there. It returns false if there is nothing, and is called again when there may be. It is called
// once before any waiting, too.
func (s *rawSocket) readNow(fd uintptr) bool {
	b := readBuffers.Get().(*readBuffer)
	s.buf = b
	b.n, b.err = readFD(int(fd), b.data[:])
	switch {
	case b.n > 0:
		b.err = nil
	case b.err == syscall.EAGAIN:
		s.release()
		return false
	case b.err == nil:
		b.err = io.EOF
	}
	return true
}

func (s *rawSocket) release() {
	readBuffers.Put(s.buf)
	s.buf = nil
}

func (s *rawSocket) closeWrite() bool { return closeWriteOf(s.tcp) }

func (s *rawSocket) close() { _ = s.tcp.Close() } // there is nothing to do about an error

func (s *rawSocket) abort() { abortConn(s.tcp) }

func (s *rawSocket) remoteAddr() net.Addr { return s.tcp.RemoteAddr() }

// readFD reads, again if a signal interrupts it.
func readFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
