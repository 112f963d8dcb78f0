package websocket

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// noPings is a PingInterval so long that not even the first ping, which comes at a random time of it, comes in a test.
const noPings = 100 * 365 * 24 * time.Hour

// pipeStation serves one connection over a pipe with fake time. A pipe has no buffer: a peer that does not read is a full
// socket.
func pipeStation(t *testing.T, cfg Config, newHandler func(c *Conn) *owner) (*owner, *peer) {
	t.Helper()
	s := NewServer(cfg)
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(context.Background()) })
	ours, theirs := net.Pipe()
	var o *owner
	if !s.enter(&s.connections) {
		t.Fatal("server is closed")
	}
	s.serve(ours, nil, agreement{}, func(c *Conn) Handler {
		o = newHandler(c)
		return o
	})
	s.connections.Done()
	t.Cleanup(func() {
		_ = theirs.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		running.Wait()
	})
	return o, &peer{t: t, Conn: theirs, r: bufio.NewReader(theirs)}
}

// wantAfter checks that about d has passed since the beginning of a test with fake time, and not less.
func wantAfter(t *testing.T, began time.Time, d time.Duration) {
	t.Helper()
	if took := time.Since(began); took < d || took > d+3*time.Second {
		t.Errorf("after %v, want %v", took, d)
	}
}

func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		began := time.Now()
		p.want(OpPing, "")
		if took := time.Since(began); took > 27*time.Second {
			t.Errorf("first ping after %v", took)
		}
		for range 5 {
			p.send(frame(finPong, ""))
			last := time.Now()
			p.want(OpPing, "")
			wantAfter(t, last, 25*time.Second-time.Second) // a pong may come a slot after its ping
		}
		select {
		case err := <-o.closed:
			t.Errorf("closed: %v", err)
		default:
		}
	})
}

func TestAnythingHeardIsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		for range 10 {
			p.want(OpPing, "")
			p.send(frame(beginText, "")[:1]) // one byte of a frame that ends before its time limit
			time.Sleep(9 * time.Second)
			p.send(frame(beginText, "")[1:])
			p.send(frame(finMore, ""))
		}
		select {
		case err := <-o.closed:
			t.Errorf("closed: %v", err)
		default:
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		p.want(OpPing, "")
		pinged := time.Now()
		if err := <-o.closed; !errors.Is(err, ErrSilent) {
			t.Errorf("closed by %v", err)
		}
		wantAfter(t, pinged, 10*time.Second)
	})
}

// Pings that come more often than the grace lasts do not put off the end of a peer that fell silent right after one of them.
func TestSilenceBetweenFrequentPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{PingInterval: 5 * time.Second, PongGrace: 10 * time.Second}, newOwner)
		p.want(OpPing, "")
		p.send(frame(finPong, ""))
		silent := time.Now()
		p.want(OpPing, "")
		wantAfter(t, silent, 5*time.Second-time.Second) // a pong may come a slot after its ping
		p.want(OpPing, "")
		wantAfter(t, silent, 10*time.Second-time.Second)
		p.want(OpPing, "")
		if err := <-o.closed; !errors.Is(err, ErrSilent) {
			t.Errorf("closed by %v", err)
		}
		wantAfter(t, silent, 15*time.Second-time.Second)
	})
}

// TestBlockedMessageIsNotSilence has a handler that takes a minute for a message: the server is what does not listen.
func TestBlockedMessageIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, func(c *Conn) *owner {
			o := newOwner(c)
			o.onMessage = func(op Opcode, payload []byte) error {
				time.Sleep(time.Minute)
				o.say(op, payload)
				return nil
			}
			return o
		})
		p.send(frame(finText, "slow"))
		for op := OpPing; op == OpPing; {
			f, err := p.next()
			if err != nil {
				t.Fatalf("%v, closed by %v", err, <-o.closed)
			}
			op = f.op
		}
		p.send(frame(finPong, ""))
	})
}

func TestMessageTimeout(t *testing.T) {
	for name, parts := range map[string][][]byte{
		"header":            {frame(finText, "x")[:1]},
		"payload":           {frame(finText, "0123456789")[:9]},
		"control frame":     {frame(finPing, "0123456789")[:9]},
		"between fragments": {frame(beginText, "x")},
		"ever new pongs":    {frame(beginText, "x"), frame(finPong, ""), frame(finPong, ""), frame(finPong, "")},
		"ever new bytes":    {frame(finText, "0123456789")[:7], {0}, {0}, {0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, p := pipeStation(t, Config{PingInterval: noPings}, newOwner)
				p.send(frame(finText, "a whole message before"))
				began := time.Now()
				for _, part := range parts {
					p.send(part)
					time.Sleep(7 * time.Second)
				}
				p.wantClose(ClosePolicy)
				wantAfter(t, began, 30*time.Second)
				wantCause(t, <-o.closed, CloseError{Code: ClosePolicy})
			})
		})
	}
}

// TestSlowMessagesInTime sends messages one byte at a time, each within its limit, for longer than the limit.
func TestSlowMessagesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{PingInterval: noPings}, newEcho)
		for range 10 {
			for _, b := range frame(finText, "x") {
				p.send([]byte{b})
				time.Sleep(3 * time.Second)
			}
			p.want(OpText, "x")
		}
		select {
		case err := <-o.closed:
			t.Errorf("closed: %v", err)
		default:
		}
	})
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := pipeStation(t, Config{}, newOwner)
		began := time.Now()
		o.say(OpText, []byte("nobody reads this"))
		if err := <-o.closed; !errors.Is(err, ErrStalled) {
			t.Errorf("closed by %v", err)
		}
		wantAfter(t, began, 30*time.Second)
	})
}

func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		began := time.Now()
		o.conn.Close(4100, "draining")
		p.want(OpClose, "\x10\x04draining")
		wantCause(t, <-o.closed, CloseError{Code: 4100})
		wantAfter(t, began, 5*time.Second)
	})
}

// TestCloseOfStalledPeer closes a connection whose socket is full.
func TestCloseOfStalledPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := pipeStation(t, Config{}, newOwner)
		o.say(OpText, []byte("nobody reads this"))
		synctest.Wait()
		began := time.Now()
		o.conn.Close(CloseNormal, "")
		wantCause(t, <-o.closed, CloseError{Code: CloseNormal})
		wantAfter(t, began, 5*time.Second)
	})
}
