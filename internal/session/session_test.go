package session

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// bench is a node in a bubble of fake time, and one client of it.
type bench struct {
	*testing.T
	node      *Node
	engine    *slowEngine
	transport noted
	encoder   frameTable
	link      *Link
}

// slowEngine answers publishes when the test lets it.
type slowEngine struct {
	*gatedEngine
	mu       sync.Mutex
	waiting  []func(engine.Receipt, error)
	proposed []engine.Proposal // so far
}

func (e *slowEngine) Publish(_ context.Context, p engine.Proposal, done func(engine.Receipt, error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = append(e.waiting, done)
	e.proposed = append(e.proposed, p)
}

// last returns the last change of a map that was proposed, and how many proposals there were.
func (e *slowEngine) last() (change engine.MapChange, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n = len(e.proposed)
	return *e.proposed[n-1].Map, n
}

func (e *slowEngine) answer(err error) {
	e.mu.Lock()
	done := e.waiting[0]
	e.waiting = e.waiting[1:]
	e.mu.Unlock()
	done(engine.Receipt{}, err)
}

// inBubble runs f with a node whose clock is fake.
func inBubble(t *testing.T, c Config, f func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, engine: &slowEngine{gatedEngine: newGatedEngine(0)}}
		log := slog.New(slog.DiscardHandler)
		c.Hub = hub.New(b.engine, func(string) engine.Rules { return engine.Rules{} }, log)
		c.Engine, c.Log, c.Policy = b.engine, log, openPolicy{}
		b.node = NewNode(c)
		b.connect()
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { b.node.Run(ctx) })
		f(b)
		b.link.Lost()
		cancel()
		running.Wait()
	})
}

// connect gives the client a new connection.
func (b *bench) connect() {
	b.link = b.node.NewLink(&b.transport, &b.encoder, Handshake{})
	b.link.Connected()
}

// frames reads what the server has to say.
func (b *bench) frames() (said []wire.ServerBody) {
	var read []byte
	for more := true; more; {
		read, more = b.link.Fill(read, 1)
	}
	for _, f := range b.encoder.decode(read) {
		said = append(said, f.Body)
	}
	return said
}

func (b *bench) want(kinds ...string) {
	b.Helper()
	var got []string
	for _, f := range b.frames() {
		got = append(got, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", f), "wire.")))
	}
	if !slices.Equal(got, kinds) {
		b.Fatalf("got %v, want %v", got, kinds)
	}
}

func TestHeartbeats(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Heartbeat: 10 * time.Second}})
		b.want("welcome")
		time.Sleep(9*time.Second + time.Millisecond)
		b.want()
		time.Sleep(time.Second)
		b.want("ping")
		time.Sleep(25 * time.Second) // two more, of which a client that does not read gets one
		b.want("ping")
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Ping{}})
		b.want("pong")
	})
}

func TestHelloMustComeInTime(t *testing.T) {
	inBubble(t, Config{HelloTimeout: 10 * time.Second}, func(b *bench) {
		silent := b.link
		b.connect()
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		b.want("welcome")
		time.Sleep(12 * time.Second)
		b.want()
		b.link = silent
		b.want("bye")
	})
}

func TestSessionLingers(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		first := b.frames()[0].(wire.Welcome)
		resume := func() wire.Welcome {
			b.link.Lost()
			b.connect()
			b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Resume: first.Resume}})
			return b.frames()[0].(wire.Welcome)
		}
		for range 3 {
			if w := resume(); !w.Resumed || w.Session != first.Session {
				t.Fatalf("the session did not go on: %+v", w)
			}
		}
		// Times at which it was left before must not end it.
		time.Sleep(linger - time.Second)
		if w := resume(); !w.Resumed {
			t.Fatal("the session ended while it was connected")
		}
		time.Sleep(linger - 2*time.Second)
		resume()
		time.Sleep(5 * time.Second) // the time at which it was left first is over
		if w := resume(); !w.Resumed {
			t.Fatal("the session ended before its time")
		}
		b.link.Lost()
		time.Sleep(linger + 2*time.Second)
		b.connect()
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Resume: first.Resume}})
		if w := b.frames()[0].(wire.Welcome); w.Resumed {
			t.Fatal("the session went on after its time")
		}
		if n := len(b.node.Sessions(func(*Session) bool { return true })); n != 1 {
			t.Fatalf("%d sessions, want the new one only", n)
		}
	})
}

// A client with too much under way is not read from, until the engine answers and the client reads.
func TestRequestsWait(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		const more = 10
		var reader sync.WaitGroup
		reader.Go(func() {
			for i := range maxPublishes + more {
				b.link.Receive(wire.ClientFrame{ID: uint64(i + 1), Body: wire.Publish{Channel: "log:x"}})
			}
		})
		synctest.Wait()
		if n := len(b.engine.waiting); n != maxPublishes {
			t.Fatalf("%d publishes under way, want %d", n, maxPublishes)
		}
		for range more {
			b.engine.answer(nil)
			synctest.Wait()
		}
		reader.Wait()
		for range maxPublishes {
			b.engine.answer(engine.ErrUnavailable)
		}
		frames := b.frames()
		if len(frames) != maxPublishes+more {
			t.Fatalf("%d answers", len(frames))
		}
		if e, ok := frames[more].(wire.Error); !ok || e.Code != wire.CodeUnavailable || e.Reason == "" {
			t.Fatalf("got %#v", frames[more])
		}
	})
}

func TestLostWhileRequestsWait(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		var reader sync.WaitGroup
		reader.Go(func() {
			for range maxPublishes + 1 {
				b.link.Receive(wire.ClientFrame{Body: wire.Publish{Channel: "log:x"}})
			}
		})
		synctest.Wait()
		b.link.Lost()
		reader.Wait()
		for range maxPublishes {
			b.engine.answer(nil) // must not be said to anybody
		}
		b.want()
	})
}

func TestDrainSpread(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 500: time.Second, 5_000: 10 * time.Second, 1e6: 30 * time.Second} {
		if got := drainSpread(n); got != want {
			t.Errorf("%d clients: %v, want %v", n, got, want)
		}
	}
}
