package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// greeter lets everyone in who does not say the token "bad". What needs a channel is not asked of it.
type greeter struct{ session.Policy }

func (greeter) Connect(_ context.Context, _ session.Handshake, h wire.Hello) (session.Identity, error) {
	if h.Token == "bad" {
		return session.Identity{}, &wire.ProtocolError{Code: wire.CodeUnauthorized}
	}
	return session.Identity{User: h.Token}, nil
}

// bubble is a server in fake time, over a network of pipes.
type bubble struct {
	*testing.T
	http   *HTTP
	node   *session.Node
	pipes  pipes
	client *http.Client
}

// inBubble runs f with a server for pages of the origins.
func inBubble(t *testing.T, origins Origins, f func(b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, pipes: pipes{made: make(chan net.Conn), closed: make(chan struct{})}}
		log := slog.New(slog.DiscardHandler)
		b.node = session.NewNode(session.Config{Policy: greeter{}, Log: log})
		b.http = NewHTTP(b.node, origins, log)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b.http.Frames(w, r, strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/http"), "/"))
		})}
		network := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return b.pipes.dial(ctx) }}
		b.client = &http.Client{Transport: network}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { server.Serve(&b.pipes) })
		running.Go(func() { b.http.Run(ctx) })
		defer func() {
			cancel()
			network.CloseIdleConnections()
			server.Close()
			running.Wait()
		}()
		f(b)
	})
}

// pipes is a network without a system under it.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.made <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// reply is what the server answered.
type reply struct {
	status int
	header http.Header
	text   string
}

// do makes a request of the path below /http.
func (b *bubble) do(method, path string, body io.Reader, header ...string) reply {
	b.Helper()
	r, err := http.NewRequest(method, "http://earshot.test/http"+path, body)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func (b *bubble) get(path string) reply { b.Helper(); return b.do("GET", path, nil) }
func (b *bubble) post(path, text string) reply {
	b.Helper()
	return b.do("POST", path, strings.NewReader(text))
}

// open begins an exchange and returns its path.
func (b *bubble) open() string {
	b.Helper()
	text := b.post("", "").text
	_, rest, ok := strings.Cut(text, `{"open":{"sid":"`)
	if !ok {
		b.Fatalf("open: %s", text)
	}
	return "/" + rest[:22]
}

// want checks the status, and what the text has.
func (b *bubble) want(got reply, status int, part string) {
	b.Helper()
	if got.status != status || !strings.Contains(got.text, part) {
		b.Errorf("got %d %.300s, want %d %s", got.status, got.text, status, part)
	}
}
