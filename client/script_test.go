package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// server is a server whose every word a test writes. Its connections are pipes, so that it runs under synctest.
type server struct {
	t        *testing.T
	dialled  chan net.Conn
	peers    chan *peer
	closed   chan struct{}
	requests chan *http.Request // the handshakes, as many as fit
	dark     atomic.Bool        // the network swallows everything
	refuse   chan int           // HTTP statuses for the next handshakes
}

// startServer starts a server that stops with the test.
func startServer(t *testing.T) *server {
	s := &server{
		t:        t,
		dialled:  make(chan net.Conn),
		peers:    make(chan *peer, 100),
		closed:   make(chan struct{}),
		requests: make(chan *http.Request, 100),
		refuse:   make(chan int, 100),
	}
	h := &http.Server{Handler: s}
	var serving sync.WaitGroup
	serving.Go(func() { _ = h.Serve(s) }) // always ends with ErrServerClosed
	t.Cleanup(func() {
		_ = h.Close()
		serving.Wait()
	})
	return s
}

// Accept, Close and Addr make s a net.Listener of pipes.
func (s *server) Accept() (net.Conn, error) {
	select {
	case c := <-s.dialled:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *server) Close() error {
	close(s.closed)
	return nil
}

func (s *server) Addr() net.Addr { return &net.TCPAddr{} }

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case s.dialled <- theirs:
		return &cable{Conn: ours, dark: &s.dark, closed: make(chan struct{})}, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cable is the client's end of a connection through a network that may go dark: half-open, without a word to either end.
type cable struct {
	net.Conn
	dark   *atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (c *cable) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.dark.Load() && err == nil {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *cable) Write(b []byte) (int, error) {
	if c.dark.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *cable) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.requests <- r:
	default:
	}
	select {
	case status := <-s.refuse:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		return
	default:
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"earshot.v1.json"}})
	if err != nil {
		s.t.Errorf("accept: %v", err)
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(wire.MaxFrameBytes)
	p := &peer{t: s.t, conn: conn, frames: make(chan []byte, 10_000), gone: make(chan struct{})}
	s.peers <- p
	p.read()
}

// connect starts a client of s that is closed with the test.
func (s *server) connect(opts client.Options) *client.Client {
	s.t.Helper()
	return s.connectFor(context.Background(), opts)
}

// connectFor is connect with a context for the client's life.
func (s *server) connectFor(ctx context.Context, opts client.Options) *client.Client {
	s.t.Helper()
	opts.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}}
	c, err := client.Connect(ctx, "http://test.invalid", opts)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
	return c
}

// accept waits for the next connection.
func (s *server) accept() *peer {
	s.t.Helper()
	select {
	case p := <-s.peers:
		return p
	case <-time.After(time.Hour):
		s.t.Fatal("no connection")
		return nil
	}
}

// welcome waits for the next connection and opens a session on it.
func (s *server) welcome(session string) *peer {
	s.t.Helper()
	p := s.accept()
	id, _ := p.next("hello")
	p.send(`{"id":%d,"welcome":{"session":%q,"resume":"secret-of-%s","heartbeat_ms":25000}}`, id, session, session)
	return p
}

// peer is the server's end of one connection.
type peer struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan []byte
	gone   chan struct{} // closed when the client is gone
	err    error         // why; set before gone is closed
}

func (p *peer) read() {
	defer close(p.gone)
	for {
		_, b, err := p.conn.Read(context.Background())
		if err != nil {
			p.err = err
			return
		}
		p.frames <- b
	}
}

// next returns the id and the body of the next frame, which must be of that kind.
func (p *peer) next(kind string) (id uint64, body map[string]any) {
	p.t.Helper()
	select {
	case b := <-p.frames:
		var f map[string]any
		if err := json.Unmarshal(b, &f); err != nil {
			p.t.Fatalf("client sent %s: %v", b, err)
		}
		body, ok := f[kind].(map[string]any)
		if !ok {
			p.t.Fatalf("client sent %s, want %s", b, kind)
		}
		if n, ok := f["id"].(float64); ok {
			id = uint64(n)
		}
		return id, body
	case <-p.gone:
		p.t.Fatalf("client is gone (%v), want %s", p.err, kind)
	case <-time.After(time.Hour):
		p.t.Fatalf("client says nothing, want %s", kind)
	}
	return 0, nil
}

// want is next with a body that must say the same as want.
func (p *peer) want(kind, want string) (id uint64) {
	p.t.Helper()
	id, got := p.next(kind)
	var w map[string]any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		p.t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		p.t.Fatalf("client sent %s %v, want %s", kind, got, want)
	}
	return id
}

// wantPublish is want for a publish with whatever idempotency id, which it returns.
func (p *peer) wantPublish(channel string, data any) (id uint64, idem string) {
	p.t.Helper()
	id, got := p.next("pub")
	idem, _ = got["idem"].(string)
	if got["ch"] != channel || !reflect.DeepEqual(got["data"], data) || idem == "" {
		p.t.Fatalf("client published %v, want %v in %q and an idempotency id", got, data, channel)
	}
	return id, idem
}

// quiet fails if the client says anything within d.
func (p *peer) quiet(d time.Duration) {
	p.t.Helper()
	select {
	case b := <-p.frames:
		p.t.Fatalf("client sent %s, want nothing", b)
	case <-time.After(d):
	}
}

func (p *peer) send(format string, args ...any) {
	p.t.Helper()
	if err := p.conn.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		p.t.Errorf("send: %v", err)
	}
}

// pub sends a publication whose position is "p" and the offset.
func (p *peer) pub(channel string, offset int) {
	p.t.Helper()
	p.send(`{"pub":{"ch":%q,"off":%d,"pos":"p%d","time":1700000000000,"data":%d}}`, channel, offset, offset, offset)
}

// drop ends the connection without a word.
func (p *peer) drop() { _ = p.conn.CloseNow() }

// wait waits until the client has ended the connection.
func (p *peer) wait() {
	p.t.Helper()
	select {
	case <-p.gone:
	case <-time.After(time.Hour):
		p.t.Fatal("the client stays")
	}
}
