package websocket

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink is a socket that takes everything and says nothing.
type sink struct {
	socket
	bytes, writes int
}

func (s *sink) tryWrite(p []byte) (int, error) {
	s.bytes += len(p)
	s.writes++
	return len(p), nil
}

func (s *sink) remoteAddr() net.Addr { return nil }

// sharedNews is a Handler that says one shared frame in every turn.
type sharedNews struct {
	Handler
	frame []byte
}

func (h sharedNews) Fill(dst []byte, _ int) ([]byte, bool) { return append(dst, h.frame...), false }

// newSink returns a connection whose turns cost no system call.
func newSink() (*Conn, *sink) {
	to := new(sink)
	c := newConn(NewServer(Config{Workers: 1}), to, agreement{})
	c.handler = sharedNews{frame: append(AppendHeader(nil, OpText, 126), make([]byte, 126)...)}
	c.endTurn(false)
	return c, to
}

// newTurns returns a connection, and a function that notifies it and gives it a turn.
func newTurns() (*sink, func()) {
	c, to := newSink()
	w := c.workers[later]
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

// TestCrowdsGather tells a connection something ten times within a millisecond: alone it gets all of it, as one of a crowd the
// first at once, and what followed together.
func TestCrowdsGather(t *testing.T) {
	for _, test := range []struct {
		lane   lane
		notify func(*Conn)
		want   int
	}{{soon, (*Conn).Notify, 10}, {later, (*Conn).NotifyLater, 2}} {
		synctest.Test(t, func(t *testing.T) {
			c, to := newSink()
			stop := make(chan struct{})
			var running sync.WaitGroup
			running.Go(func() { c.workers[test.lane].run(stop) })
			time.Sleep(gatherFor)
			for range 10 {
				test.notify(c)
				synctest.Wait()
				time.Sleep(gatherFor / 20)
			}
			time.Sleep(gatherFor)
			synctest.Wait()
			if to.writes != test.want {
				t.Errorf("lane %d: %d writes, want %d", test.lane, to.writes, test.want)
			}
			close(stop)
			running.Wait()
		})
	}
}
