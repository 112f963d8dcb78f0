package cluster

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// roamer is a balancer without a memory, before a network that may break: it takes each new connection to one of several
// addresses, at random, so that clients move between nodes whenever their connection ends.
type roamer struct {
	// Set before the first connection: connections end after some number of bytes from minBytes to maxBytes, wherever in a
	// frame that is. Zero: they last.
	minBytes, maxBytes int64
	cuts, silences     atomic.Int64 // how many did; those of them that fell silent

	mu sync.Mutex
	// Guarded by mu.
	addrs  []string
	visits map[string]int // connections, by address
	open   map[*roaming]struct{}
}

func newRoamer(addrs ...string) *roamer {
	return &roamer{addrs: addrs, visits: make(map[string]int), open: make(map[*roaming]struct{})}
}

// dial connects to one of the addresses, and if that one is not there to another.
func (r *roamer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	r.mu.Lock()
	addrs := slices.Clone(r.addrs)
	r.mu.Unlock()
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	var errs []error
	for _, addr := range addrs {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			return r.add(conn, addr), nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (r *roamer) add(conn net.Conn, addr string) *roaming {
	kept := &roaming{Conn: conn, roamer: r}
	if r.maxBytes > 0 {
		kept.left.Store(r.minBytes + rand.Int64N(r.maxBytes-r.minBytes))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.visits[addr]++
	r.open[kept] = struct{}{}
	return kept
}

// lead makes the roamer take new connections to other addresses.
func (r *roamer) lead(addrs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs = addrs
}

// breakAll ends every connection there is.
func (r *roamer) breakAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		_ = c.Conn.Close() // its owner finds out, and closes it too
	}
}

// visited returns how many connections there were, and to how many addresses.
func (r *roamer) visited() (connections, addrs int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.visits {
		connections += n
	}
	return connections, len(r.visits)
}

// roaming is a connection of a client, which its roamer can break.
type roaming struct {
	net.Conn
	roamer *roamer
	left   atomic.Int64 // bytes until it is cut
	once   sync.Once
}

// Close ends the connection.
func (c *roaming) Close() error {
	c.roamer.mu.Lock()
	delete(c.roamer.open, c)
	c.roamer.mu.Unlock()
	return c.Conn.Close()
}

// Read reads as much as the connection lives to see.
func (c *roaming) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if allowed := c.spend(n); allowed < n {
		return c.cut(allowed)
	}
	return n, err
}

// Write writes as much as the connection lives to see.
func (c *roaming) Write(b []byte) (int, error) {
	allowed := c.spend(len(b))
	n, err := c.Conn.Write(b[:allowed])
	if allowed < len(b) && err == nil {
		return c.cut(n)
	}
	return n, err
}

// spend returns how many of n bytes the connection may still carry.
func (c *roaming) spend(n int) (allowed int) {
	if c.roamer.maxBytes == 0 {
		return n
	}
	left := c.left.Add(int64(-n))
	return int(min(max(left+int64(n), 0), int64(n)))
}

// cut ends the connection in one of three ways: closed, reset, or silent until its owner gives up.
func (c *roaming) cut(n int) (int, error) {
	way := rand.N(20)
	c.once.Do(func() {
		c.roamer.cuts.Add(1)
		if way == 0 {
			c.roamer.silences.Add(1)
			_, _ = io.Copy(io.Discard, c.Conn) // ends with Close
		}
		if tcp, ok := c.Conn.(*net.TCPConn); ok && way%2 == 1 {
			_ = tcp.SetLinger(0) // makes Close send a reset
		}
		_ = c.Conn.Close() // the owner finds out, and closes it too
	})
	return n, net.ErrClosed
}

// connect starts a client that comes back quickly, at whichever address the roamer leads to, and notices silence soon.
func (r *roamer) connect(t *testing.T, opts client.Options) *client.Client {
	t.Helper()
	opts.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: r.dial, DisableKeepAlives: true}}
	opts.Heartbeat, opts.Grace = 5*time.Second, time.Second
	if opts.BackoffMax == 0 {
		opts.BackoffBase, opts.BackoffMax = 5*time.Millisecond, 200*time.Millisecond
	}
	opts.ConnectTimeout = 3 * time.Second
	c, err := client.Connect(context.Background(), "http://earshot.test", opts) // the roamer does not ask for the name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.Close(ctx) // through a broken network nobody answers a goodbye
	})
	return c
}
