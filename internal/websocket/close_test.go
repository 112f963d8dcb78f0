package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	oracle "github.com/coder/websocket"
)

// TestClose closes from our side and wants what was queued before the close frame.
func TestClose(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	tests := []struct {
		code   uint16
		reason string
		want   string // the payload of the close frame
	}{
		{CloseNormal, "", "\x03\xe8"},
		{4100, "draining", "\x10\x04draining"},
		{CloseNoCode, "", "\x03\xf3"}, // what may not be sent becomes 1011
		{0, "x", "\x03\xf3x"},
		{math.MaxUint16, "", "\x03\xf3"},
		{4000, "bad \xff reason", "\x0f\xa0bad \uFFFD reason"},
		{4000, strings.Repeat("é", 100), "\x0f\xa0" + strings.Repeat("é", 61)},
	}
	for _, tt := range tests {
		p := dialPeer(t, st)
		o := <-st.owners
		for i := range 10 {
			o.say(OpText, []byte(fmt.Sprint(i)))
		}
		o.conn.Close(tt.code, tt.reason)
		o.conn.Close(4999, "the first close counts")
		for i := range 10 {
			p.want(OpText, fmt.Sprint(i))
		}
		p.want(OpClose, tt.want)
		p.send(slices.Concat(frame(finText, "dropped"), closeFrame(codeOf([]byte(tt.want)), "")))
		if _, err := p.next(); err != io.EOF {
			t.Errorf("after the handshake: %v", err)
		}
		wantCause(t, o.wantClosed(t), CloseError{Code: codeOf([]byte(tt.want))})
	}
}

// TestCloseIsBounded closes a connection whose handler never runs out of things to say.
func TestCloseIsBounded(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	o := <-st.owners
	o.talkForever()
	o.conn.Close(CloseGoingAway, "")
	if code := codeOf(p.untilClose()); code != CloseGoingAway {
		t.Errorf("close code %d", code)
	}
	p.send(closeFrame(CloseGoingAway, ""))
	wantCause(t, o.wantClosed(t), CloseError{Code: CloseGoingAway})
}

// TestMessageErrors closes because of what Message returns.
func TestMessageErrors(t *testing.T) {
	failure := errors.New("no such thing")
	tests := []struct {
		name string
		err  error
		code uint16
	}{
		{"with a code", &CloseError{Code: CloseUnsupported, Reason: "binary"}, CloseUnsupported},
		{"wrapped", fmt.Errorf("read: %w", &CloseError{Code: 4000}), 4000},
		{"any other", failure, CloseInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			st := startStation(t, Config{}, func(c *Conn) *owner {
				o := newOwner(c)
				o.onMessage = func(Opcode, []byte) error {
					calls++
					o.say(OpText, []byte("bye"))
					return tt.err
				}
				return o
			})
			p := dialPeer(t, st)
			p.send(slices.Concat(frame(finText, "1"), frame(finText, "2")))
			p.want(OpText, "bye")
			f, err := p.next()
			if err != nil || f.op != OpClose || codeOf(f.payload) != tt.code || strings.Contains(string(f.payload), "thing") {
				t.Errorf("got %v, %v, want code %d", f, err, tt.code)
			}
			p.send(closeFrame(tt.code, ""))
			err = (<-st.owners).wantClosed(t)
			if closing := new(CloseError); !errors.Is(err, tt.err) && (!errors.As(err, &closing) || closing.Code != tt.code) {
				t.Errorf("closed by %v", err)
			}
			if calls != 1 {
				t.Errorf("%d messages after the error", calls-1)
			}
		})
	}
}

func TestPeerVanishes(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	p.send(frame(beginText, "unfinished"))
	_ = p.Close()
	o := <-st.owners
	if err := o.wantClosed(t); !errors.Is(err, ErrNoClose) {
		t.Errorf("closed by %v", err)
	}
	select {
	case <-o.conn.Done():
	case <-time.After(patience):
		t.Error("not done after the end")
	}
}

// TestHalfClosedPeer ends its side of TCP right after its close frame, or after ours was called for.
func TestHalfClosedPeer(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	for range 50 {
		p := dialPeer(t, st)
		p.send(closeFrame(4000, ""))
		p.halfClose()
		p.wantClose(4000)
		wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: 4000, Peer: true})

		p = dialPeer(t, st)
		p.send([]byte{0xFF, 0xFF})
		p.halfClose()
		p.wantClose(CloseProtocolError)
		wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: CloseProtocolError})
	}
}

func TestAbort(t *testing.T) {
	eachStation(t, Config{}, newOwner, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		o := <-st.owners
		done := o.conn.Done()
		cause := errors.New("kicked")
		o.conn.Abort(cause)
		o.conn.Abort(nil)
		o.conn.Notify()
		o.conn.Close(CloseNormal, "")
		if err := o.wantClosed(t); err != cause {
			t.Errorf("closed by %v", err)
		}
		<-done
		<-o.conn.Done()
		if _, _, err := conn.Read(t.Context()); err == nil || oracle.CloseStatus(err) != -1 {
			t.Errorf("peer: %v", err)
		}
	})
}

// TestDoneUnblocksMessage loses the peer while Message waits.
func TestDoneUnblocksMessage(t *testing.T) {
	entered := make(chan struct{})
	st := startStation(t, Config{}, func(c *Conn) *owner {
		o := newOwner(c)
		o.onMessage = func(Opcode, []byte) error {
			close(entered)
			<-c.Done()
			return errors.New("gone")
		}
		return o
	})
	p := dialPeer(t, st)
	p.send(frame(finText, "x"))
	<-entered
	o := <-st.owners
	o.conn.Abort(ErrStalled)
	if err := o.wantClosed(t); err != ErrStalled {
		t.Errorf("closed by %v", err)
	}
}

// TestFillUnblocksMessage has a handler whose Message waits until Fill has taken what it queued, as one with a bounded
// queue does, of a peer that reads nothing. The server's end must not leave it waiting.
func TestFillUnblocksMessage(t *testing.T) {
	for name, end := range map[string]func(st *station, c *Conn){
		"abort":        func(_ *station, c *Conn) { c.Abort(nil) },
		"server close": func(st *station, _ *Conn) { _ = st.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			filled, entered := make(chan struct{}), make(chan struct{})
			st := startStation(t, Config{CloseTimeout: 500 * time.Millisecond}, func(c *Conn) *owner {
				o := newOwner(c)
				o.onMessage = func(Opcode, []byte) error {
					o.mu.Lock()
					o.endless, o.onFill = false, sync.OnceFunc(func() { close(filled) })
					o.mu.Unlock()
					c.Notify()
					close(entered)
					<-filled
					return nil
				}
				return o
			})
			p := dialPeer(t, st)
			o := <-st.owners
			o.talkForever()
			waitUntil(t, "the socket is full", func() bool {
				since := o.conn.stalledSince.Load()
				return since != 0 && st.wheel.now.Load() > since
			})
			p.send(frame(finText, "x"))
			<-entered
			end(st, o.conn)
			_ = o.wantClosed(t)
		})
	}
}

// TestCloseFramesCross has both sides close at once.
func TestCloseFramesCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		o.conn.Close(4100, "")
		synctest.Wait() // our close frame is being written
		p.send(closeFrame(CloseNormal, ""))
		p.want(OpClose, "\x10\x04")
		wantCause(t, <-o.closed, CloseError{Code: 4100})
		if _, err := p.next(); err != io.EOF {
			t.Errorf("after the handshake: %v", err)
		}
	})
}

// TestNothingAfterClose has things become due after our close frame.
func TestNothingAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		o.conn.Close(4100, "")
		p.want(OpClose, "\x10\x04")
		p.send(frame(finPing, "late"))
		o.conn.owePing()
		o.say(OpText, []byte("late"))
		_ = p.SetReadDeadline(time.Now().Add(time.Second))
		if f, err := p.next(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the close frame: %v, %v", f, err)
		}
	})
}

func TestCloseHandshakeWithOracle(t *testing.T) {
	eachStation(t, Config{}, newEcho, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		if err := conn.Close(4321, "enough"); err != nil {
			t.Errorf("oracle closes: %v", err)
		}
		wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: 4321, Peer: true})

		conn = dialOracle(t, st)
		o := <-st.owners
		o.say(OpText, []byte("last words"))
		o.conn.Close(4100, "draining")
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "last words" {
			t.Errorf("got %q, %v", got, err)
		}
		_, _, err := conn.Read(t.Context())
		if got := new(oracle.CloseError); !errors.As(err, got) || got.Code != 4100 || got.Reason != "draining" {
			t.Errorf("oracle was closed by %v", err)
		}
		wantCause(t, o.wantClosed(t), CloseError{Code: 4100})
	})
}

func TestServerClose(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(func() {
			if err := st.Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	closers.Wait()
	if err := (<-st.owners).wantClosed(t); err != ErrServerClosed {
		t.Errorf("closed by %v", err)
	}
	if f, err := p.next(); err == nil {
		t.Errorf("peer got %v", f)
	}
	if err := st.Run(ctx); err != nil {
		t.Errorf("Run after Close: %v", err)
	}
	if res := shakeHands(t, st, handshakeRequest()); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("handshake after Close: %d", res.StatusCode)
	}
}

// TestServerCloseGivesUp closes while a handler blocks that does not watch Done.
func TestServerCloseGivesUp(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{})
	st := startStation(t, Config{}, func(c *Conn) *owner {
		o := newOwner(c)
		o.onMessage = func(Opcode, []byte) error {
			close(entered)
			<-release
			return nil
		}
		return o
	})
	p := dialPeer(t, st)
	p.send(frame(finText, "x"))
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := st.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	close(release)
}

// TestAcceptPanics has the owner's accept panic: net/http recovers, and the connection must not be left behind.
func TestAcceptPanics(t *testing.T) {
	st := startStation(t, Config{}, func(*Conn) *owner { panic(http.ErrAbortHandler) })
	p := dialPeer(t, st)
	if f, err := p.next(); err != io.EOF && !isGone(err) {
		t.Errorf("got %v, %v, want the end", f, err)
	}
}
