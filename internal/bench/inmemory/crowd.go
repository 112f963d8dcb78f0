package inmemory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"unsafe"
)

// ConnBytes is what one connection of a crowd takes itself, besides what the server has of it.
const ConnBytes = int(unsafe.Sizeof(conn{}))

// knocking is how many handshakes are under way at once.
const knocking = 4

// Crowd is many clients of one server in this process, each with one subscription.
type Crowd struct {
	server  http.Handler
	channel func(client int) string
	request *http.Request

	arrivals, deliveries counter

	mu      sync.Mutex
	conns   []*conn // guarded by mu
	failure error   // the first; guarded by mu
}

// New returns a crowd without clients. Each will subscribe to the channel that channel returns for its number, from 0; names
// need no escaping in JSON.
func New(server http.Handler, channel func(client int) string) (*Crowd, error) {
	r, err := http.NewRequest(http.MethodGet, "http://memory/live/websocket", nil)
	if err != nil {
		return nil, fmt.Errorf("make a handshake: %w", err)
	}
	for name, value := range map[string]string{
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-Websocket-Protocol": "earshot.v1.json",
	} {
		r.Header.Set(name, value)
	}
	r.RemoteAddr = "192.0.2.1:1"
	return &Crowd{
		server: server, channel: channel, request: r, arrivals: newCounter(), deliveries: newCounter(),
	}, nil
}

// Grow connects n more clients and waits until they are subscribed.
func (c *Crowd) Grow(ctx context.Context, n int) error {
	c.mu.Lock()
	first := len(c.conns)
	for i := range n {
		c.conns = append(c.conns, newConn(c, first+i))
	}
	conns := c.conns[first:]
	c.mu.Unlock()
	var next atomic.Int64
	var doors sync.WaitGroup
	for range knocking {
		doors.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				c.server.ServeHTTP(&door{conn: conns[i], header: make(http.Header)}, c.request)
			}
		})
	}
	doors.Wait()
	if err := c.arrivals.await(ctx, int64(first+n)); err != nil {
		return errors.Join(fmt.Errorf("%d of %d clients arrived: %w", c.arrivals.count.Load(), first+n, err), c.Failure())
	}
	return c.Failure()
}

// Arrived returns how many clients are subscribed.
func (c *Crowd) Arrived() int64 { return c.arrivals.count.Load() }

// AwaitDeliveries waits until there were so many deliveries, to all clients together.
func (c *Crowd) AwaitDeliveries(ctx context.Context, n int64) error {
	if err := c.deliveries.await(ctx, n); err != nil {
		return errors.Join(fmt.Errorf("%d of %d deliveries: %w", c.deliveries.count.Load(), n, err), c.Failure())
	}
	return c.Failure()
}

// Failure returns the first thing that went wrong, or nil.
func (c *Crowd) Failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// Close cuts all connections.
func (c *Crowd) Close() {
	c.mu.Lock()
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	for _, nc := range conns {
		_ = nc.Close() // cannot fail
	}
}

func (c *Crowd) arrive()  { c.arrivals.add() }
func (c *Crowd) deliver() { c.deliveries.add() }

func (c *Crowd) fail(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure = errors.New(reason)
	}
}

// door is the HTTP server's side of a handshake.
type door struct {
	conn   *conn
	header http.Header
}

func (d *door) Header() http.Header { return d.header }

// WriteHeader and Write are called when the handshake is refused.
func (d *door) WriteHeader(status int) {
	d.conn.crowd.fail("handshake refused: " + http.StatusText(status))
}

func (d *door) Write(p []byte) (int, error) { return len(p), nil }

// Hijack hands the connection to the WebSocket server.
func (d *door) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return d.conn, bufio.NewReadWriter(bufio.NewReaderSize(d.conn, 16), nil), nil
}
