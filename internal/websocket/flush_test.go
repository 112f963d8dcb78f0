package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	oracle "github.com/coder/websocket"
)

// TestSlowReaderGetsAll has a peer that reads late and in small pieces: writes are partial, and nothing is lost, repeated
// or mixed up.
func TestSlowReaderGetsAll(t *testing.T) {
	const count, size = 2_000, 5_000
	eachStation(t, Config{}, newOwner, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		conn.SetReadLimit(-1)
		o := <-st.owners
		var talking sync.WaitGroup
		defer talking.Wait()
		talking.Go(func() {
			for i := range count {
				o.say(OpBinary, binary.BigEndian.AppendUint32(make([]byte, 0, size), uint32(i))[:size])
			}
		})
		for i := range count {
			_, payload, err := conn.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := binary.BigEndian.Uint32(payload); int(got) != i || len(payload) != size {
				t.Fatalf("message %d is number %d of %d bytes", i, got, len(payload))
			}
		}
	})
}

// TestStuckReadersDelayNobody has more stuck readers than workers, each with a full socket, and wants a conversation
// beside them to go on.
func TestStuckReadersDelayNobody(t *testing.T) {
	cfg := Config{CloseTimeout: 500 * time.Millisecond} // makes the wheel's slots 100 ms
	eachStation(t, cfg, newEcho, func(t *testing.T, st *station) {
		var stuck []*owner
		for range 8 {
			dialOracle(t, st)
			o := <-st.owners
			o.talkForever()
			stuck = append(stuck, o)
		}
		for _, o := range stuck {
			waitUntil(t, "a socket is full", func() bool {
				since := o.conn.stalledSince.Load()
				return since != 0 && st.wheel.now.Load() > since+1
			})
		}
		conn := dialOracle(t, st)
		for range 100 {
			if err := exchange(t, conn, oracle.MessageText, []byte("hello")); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// waitUntil polls a condition that nothing announces.
func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// TestStalledTCP has a peer on a real socket that reads nothing: it is cut off with a reset, so that the kernel does not
// go on keeping what it would not take.
func TestStalledTCP(t *testing.T) {
	st := startStation(t, Config{StallTimeout: 500 * time.Millisecond}, newOwner)
	p := dialPeer(t, st)
	o := <-st.owners
	o.talkForever()
	if err := o.wantClosed(t); !errors.Is(err, ErrStalled) {
		t.Errorf("closed by %v", err)
	}
	for {
		if _, err := p.next(); err != nil {
			if !isGone(err) {
				t.Errorf("peer: %v, want a reset", err)
			}
			return
		}
	}
}

// TestSlowIsNotStalled has a peer that takes a byte now and then.
func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{PingInterval: noPings}, newOwner)
		for i := range 10 {
			text := fmt.Sprint(i)
			o.say(OpText, []byte(text))
			time.Sleep(25 * time.Second)
			p.want(OpText, text)
		}
		select {
		case err := <-o.closed:
			t.Errorf("closed: %v", err)
		default:
		}
	})
}

// TestControlGoesFirst queues data behind a full socket and wants the pong and the ping that came later before it.
func TestControlGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		o.say(OpText, []byte("being written"))
		synctest.Wait()
		o.say(OpText, []byte("queued"))
		p.send(frame(finPing, "urgent"))
		o.conn.owePing()
		synctest.Wait()
		p.want(OpText, "being written")
		p.want(OpPong, "urgent")
		p.want(OpPing, "")
		p.want(OpText, "queued")
	})
}

// filler is a Handler whose Fill is a function.
type filler struct {
	*owner
	fill func(dst []byte, limit int) ([]byte, bool)
}

func (f filler) Fill(dst []byte, limit int) ([]byte, bool) { return f.fill(dst, limit) }

// serveFiller serves a pipe with a handler whose Fill is the given function.
func serveFiller(t *testing.T, fill func(c *Conn, dst []byte, limit int) ([]byte, bool)) (*Conn, *peer) {
	o, p := pipeStation(t, Config{}, newOwner)
	synctest.Wait()
	o.conn.handler = filler{o, func(dst []byte, limit int) ([]byte, bool) { return fill(o.conn, dst, limit) }}
	return o.conn, p
}

// TestNotifyDuringFill has news come while Fill runs: another Fill must follow, even if this one had nothing to say.
func TestNotifyDuringFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fills := 0
		c, p := serveFiller(t, func(c *Conn, dst []byte, limit int) ([]byte, bool) {
			fills++
			switch fills {
			case 1:
				c.Notify()
				c.Notify()
				return dst, false
			case 2:
				return append(AppendHeader(dst, OpText, 2), "hi"...), false
			}
			return dst, false
		})
		c.Notify()
		p.want(OpText, "hi")
		synctest.Wait()
		if fills != 2 {
			t.Errorf("%d fills, want 2", fills)
		}
	})
}

// TestEmptyFill claims to have more to say without saying anything, which must not keep a worker busy.
func TestEmptyFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fills := 0
		c, _ := serveFiller(t, func(_ *Conn, dst []byte, _ int) ([]byte, bool) {
			fills++
			return dst, fills < 100
		})
		c.Notify()
		synctest.Wait()
		if fills != 1 {
			t.Errorf("%d fills, want 1", fills)
		}
	})
}

// TestTurnsAreShared has a connection with endless news share its worker with another.
func TestTurnsAreShared(t *testing.T) {
	st := startStation(t, Config{Workers: 1}, newOwner)
	talker := dialPeer(t, st)
	first := <-st.owners
	listener := dialPeer(t, st)
	second := <-st.owners
	var reading sync.WaitGroup
	defer reading.Wait()
	defer talker.Close()
	reading.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := talker.Read(buf); err != nil {
				return
			}
		}
	})
	first.talkForever()
	for i := range 100 {
		text := fmt.Sprint(i)
		second.say(OpText, []byte(text))
		listener.want(OpText, text)
	}
}

// TestFragmentedToOracle fills a message in fragments, with a control frame between them.
func TestFragmentedToOracle(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	conn := dialOracle(t, st)
	o := <-st.owners
	o.mu.Lock()
	o.queue = append(o.queue, []byte("\x01\x05hello"), []byte("\x89\x00"), []byte("\x00\x00"), []byte("\x80\x06 world"))
	o.mu.Unlock()
	o.conn.Notify()
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "hello world" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestFragmentedFromOracle has the oracle send fragments.
func TestFragmentedFromOracle(t *testing.T) {
	eachStation(t, Config{}, newEcho, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		w, err := conn.Writer(t.Context(), oracle.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("κόσμε", 1_000)
		for piece := range slices.Chunk([]byte(want), 997) {
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
}

// TestOraclePings has the oracle ping us, and answer our pings.
func TestOraclePings(t *testing.T) {
	eachStation(t, Config{PingInterval: 20 * time.Millisecond, PongGrace: patience}, newEcho, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		o := <-st.owners
		ctx := conn.CloseRead(t.Context())
		for range 10 {
			if err := conn.Ping(ctx); err != nil {
				t.Fatal(err)
			}
		}
		waitUntil(t, "a ping was answered", func() bool {
			return o.conn.hearing.Load() == hearingHeard && st.wheel.now.Load() > 3*st.wheel.pingEvery
		})
	})
}

// TestNoisyEnd ends connections from all sides at once while they talk.
func TestNoisyEnd(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	for round := range 100 {
		p := dialPeer(t, st)
		o := <-st.owners
		var busy sync.WaitGroup
		for i := range 3 {
			busy.Go(func() { o.say(OpText, []byte("from another goroutine")) })
			busy.Go(func() { o.conn.Notify() })
			busy.Go(func() { p.send(frame(finText, "hello")) })
			busy.Go(func() {
				switch (round + i) % 5 {
				case 0:
					o.conn.Close(CloseNormal, "")
				case 1:
					o.conn.Abort(nil)
				case 2:
					p.send(closeFrame(CloseNormal, ""))
				case 3:
					_ = p.Close()
				case 4:
					p.send([]byte{0xFF, 0xFF})
				}
			})
		}
		busy.Wait()
		_ = p.Close()
		_ = o.wantClosed(t)
		if state := o.conn.turn.Load(); state != turnOver && state != turnEnding {
			t.Fatalf("a turn may begin after the end: state %d", state)
		}
	}
}
