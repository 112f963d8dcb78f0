package websocket

import (
	"net"
	"testing"
)

// sink is a socket that takes everything and says nothing.
type sink struct {
	socket
	bytes int
}

func (s *sink) tryWrite(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}

func (s *sink) remoteAddr() net.Addr { return nil }

// sharedNews is a Handler that says one shared frame in every turn.
type sharedNews struct {
	Handler
	frame []byte
}

func (h sharedNews) Fill(dst []byte, _ int) ([]byte, bool) { return append(dst, h.frame...), false }

// newTurns returns a connection whose turns cost no system call, and a function that notifies it and gives it a turn.
func newTurns() (*sink, func()) {
	s, to := NewServer(Config{Workers: 1}), new(sink)
	c := newConn(s, to, "")
	c.handler = sharedNews{frame: append(AppendHeader(nil, OpText, 126), make([]byte, 126)...)}
	c.endTurn(false)
	w := s.workers[0][later]
	w.buf = make([]byte, 0, w.turnBytes)
	return to, func() {
		c.NotifyLater()
		if c := w.pop(); c.takeTurn(later) {
			w.keep(c.flush(w.buf, w.turnBytes))
		}
	}
}

// BenchmarkTurn is what a delivery costs a connection besides the write: notice, queue, fill.
func BenchmarkTurn(b *testing.B) {
	_, turn := newTurns()
	b.ReportAllocs()
	for b.Loop() {
		turn()
	}
}

func TestTurnAllocatesNothing(t *testing.T) {
	to, turn := newTurns()
	if n := testing.AllocsPerRun(100, turn); n != 0 {
		t.Errorf("%v allocations for a turn", n)
	}
	if to.bytes == 0 {
		t.Error("nothing was written")
	}
}
