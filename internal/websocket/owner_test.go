package websocket

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of the tests; none is expected to last that long.
const patience = 20 * time.Second

// owner is a Handler that a test looks into: it queues what it is told to say.
type owner struct {
	conn      *Conn
	onMessage func(op Opcode, payload []byte) error
	closed    chan error

	mu      sync.Mutex
	queue   [][]byte // whole frames
	endless bool     // there is always more
	onFill  func()   // called in Fill, if set
}

// newOwner returns a Handler of c that takes every message.
func newOwner(c *Conn) *owner { return &owner{conn: c, closed: make(chan error, 1)} }

// newEcho returns a Handler of c that sends every message back.
func newEcho(c *Conn) *owner {
	o := newOwner(c)
	o.onMessage = func(op Opcode, payload []byte) error {
		o.say(op, payload)
		return nil
	}
	return o
}

func (o *owner) Message(op Opcode, payload []byte) error {
	if o.onMessage == nil {
		return nil
	}
	return o.onMessage(op, payload)
}

func (o *owner) Fill(dst []byte, limit int) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for end := len(dst) + limit; len(o.queue) > 0 && len(dst) < end; o.queue = o.queue[1:] {
		dst = append(dst, o.queue[0]...)
	}
	if o.onFill != nil {
		o.onFill()
	}
	if o.endless {
		dst = append(AppendHeader(dst, OpBinary, limit), make([]byte, limit)...)
	}
	return dst, len(o.queue) > 0 || o.endless
}

func (o *owner) Closed(err error) { o.closed <- err }

// say queues a message and tells the connection.
func (o *owner) say(op Opcode, payload []byte) {
	frame := append(AppendHeader(nil, op, len(payload)), payload...)
	if o.conn.Compresses() {
		frame = AppendCompressed(nil, op, payload)
	}
	o.mu.Lock()
	o.queue = append(o.queue, frame)
	o.mu.Unlock()
	o.conn.Notify()
}

// talkForever makes the owner always have more to say.
func (o *owner) talkForever() {
	o.mu.Lock()
	o.endless = true
	o.mu.Unlock()
	o.conn.Notify()
}

// wantClosed waits for the end of the connection and returns why it came.
func (o *owner) wantClosed(t *testing.T) error {
	t.Helper()
	select {
	case err := <-o.closed:
		return err
	case <-time.After(patience):
		t.Fatal("connection did not end")
		return nil
	}
}

// station is a running Server behind an HTTP server.
type station struct {
	*Server
	http   *httptest.Server
	owners chan *owner // of each connection, in the order of their coming
}

// startStation runs a server whose connections get the handler that newHandler returns.
func startStation(t testing.TB, cfg Config, newHandler func(c *Conn) *owner) *station {
	t.Helper()
	return startStationWith(t, cfg, newHandler, (*httptest.Server).Start)
}

// startStationWith is startStation with an HTTP server that start starts.
func startStationWith(t testing.TB, cfg Config, newHandler func(c *Conn) *owner, start func(*httptest.Server)) *station {
	t.Helper()
	st := &station{Server: NewServer(cfg), owners: make(chan *owner, 20_000)}
	st.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = st.Upgrade(w, r, []string{"earshot.v1.json"}, func(c *Conn) Handler {
			o := newHandler(c)
			st.owners <- o
			return o
		})
	}))
	start(st.http)
	var running sync.WaitGroup
	running.Go(func() {
		if err := st.Run(context.Background()); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := st.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		running.Wait()
		st.http.Close()
	})
	return st
}
