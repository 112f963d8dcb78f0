package websocket

import "net"

// blockingReadBytes is small because an idle connection holds it. TLS has a record's worth of its own behind it.
const blockingReadBytes = 1 << 10

// blockingSocket works with any net.Conn, TLS above all. It holds a buffer while it waits, and never writes without a
// goroutine of its own, because nothing else tells whether Write would block, unless the connection has a TryWrite.
type blockingSocket struct {
	conn net.Conn
	buf  [blockingReadBytes]byte
}

func (s *blockingSocket) read() ([]byte, error) {
	for {
		n, err := s.conn.Read(s.buf[:])
		if n > 0 {
			return s.buf[:n], nil // an error comes back at the next read
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *blockingSocket) release() {}

// tryWriter is a connection that can take bytes without waiting, though it is no socket: one in memory.
type tryWriter interface {
	// TryWrite writes what there is room for at once, maybe nothing.
	TryWrite(p []byte) (int, error)
}

func (s *blockingSocket) tryWrite(p []byte) (int, error) {
	if ready, ok := s.conn.(tryWriter); ok {
		return ready.TryWrite(p)
	}
	return 0, nil
}

// write reports progress only at the end: see Config.StallTimeout.
func (s *blockingSocket) write(p []byte, progress func()) error {
	_, err := s.conn.Write(p)
	progress()
	return err
}

func (s *blockingSocket) closeWrite() bool { return closeWriteOf(s.conn) }

func (s *blockingSocket) close() { _ = s.conn.Close() } // there is nothing to do about an error

func (s *blockingSocket) abort() { abortConn(s.conn) }

func (s *blockingSocket) remoteAddr() net.Addr { return s.conn.RemoteAddr() }
