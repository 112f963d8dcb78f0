package e2e

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter is a network that breaks: a TCP proxy that ends every connection after a random number of bytes, both ways
// together, wherever in a frame that is. Some are closed, some are reset, and a few fall silent without an end.
type cutter struct {
	target   string
	listener net.Listener
	minBytes int64
	maxBytes int64
	cuts     atomic.Int64
	silences atomic.Int64 // those of the cuts that left the connection half-open
	running  sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	random       *rand.Rand
	leftSilences int
	open         map[*cable]struct{}
	closed       bool
	down         bool // new connections end at once
}

// startCutter starts a network to target that lasts as long as the test.
func startCutter(t *testing.T, target string, seed uint64, minBytes, maxBytes int64, silences int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{
		target: target, listener: l, minBytes: minBytes, maxBytes: maxBytes,
		random: rand.New(rand.NewPCG(seed, 0)), leftSilences: silences, open: make(map[*cable]struct{}),
	}
	c.running.Go(c.accept)
	t.Cleanup(c.close)
	return c
}

func (c *cutter) url() string { return "http://" + c.listener.Addr().String() }

func (c *cutter) close() {
	_ = c.listener.Close() // ends accept
	c.mu.Lock()
	c.closed = true
	for cable := range c.open {
		cable.end()
	}
	c.mu.Unlock()
	c.running.Wait()
}

// setDown ends every connection and keeps new ones from getting through, until it is called with false.
func (c *cutter) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	for cable := range c.open {
		cable.end()
	}
}

func (c *cutter) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.running.Go(func() { c.carry(conn) })
	}
}

// way is how a connection ends.
type way int

const (
	wayClose way = iota
	wayReset
	waySilence
)

// fate chooses after how many bytes a connection ends, and how.
func (c *cutter) fate() (bytes int64, w way) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes, w = c.minBytes+c.random.Int64N(c.maxBytes-c.minBytes), way(c.random.IntN(2))
	if c.leftSilences > 0 && c.random.IntN(10) == 0 {
		c.leftSilences--
		w = waySilence
	}
	return bytes, w
}

// cable is one connection through the network.
type cable struct {
	client, server net.Conn
	left           atomic.Int64 // bytes until it is cut
	once           sync.Once
}

func (k *cable) end() {
	k.once.Do(func() {
		_ = k.client.Close() // nothing can be done about it
		_ = k.server.Close()
	})
}

// carry takes a connection to its fate.
func (c *cutter) carry(client net.Conn) {
	server, err := net.Dial("tcp", c.target)
	if err != nil { // the server is not there, which is part of some tests
		_ = client.Close()
		return
	}
	k := &cable{client: client, server: server}
	bytes, w := c.fate()
	k.left.Store(bytes)
	if !c.register(k) {
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { c.pump(k, server, client, w) })
	ways.Go(func() { c.pump(k, client, server, w) })
	ways.Wait()
	c.mu.Lock()
	delete(c.open, k)
	c.mu.Unlock()
}

func (c *cutter) register(k *cable) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.down {
		k.end()
		return false
	}
	c.open[k] = struct{}{}
	return true
}

// pump carries bytes one way until they are used up, or either end is gone.
func (c *cutter) pump(k *cable, to, from net.Conn, w way) {
	defer k.end()
	buf := make([]byte, 8<<10)
	for {
		n, err := from.Read(buf)
		left := k.left.Add(int64(-n))
		allowed := max(min(left+int64(n), int64(n)), 0)
		if _, werr := to.Write(buf[:allowed]); werr != nil || err != nil {
			return
		}
		if left > 0 {
			continue
		}
		if left+int64(n) > 0 { // the one of the two ways that used up the last byte
			c.cut(k, w)
		}
		if w != waySilence {
			return
		}
		_, _ = io.Copy(io.Discard, from) // swallow all else until an end gives up
		return
	}
}

func (c *cutter) cut(k *cable, w way) {
	c.cuts.Add(1)
	switch w {
	case waySilence:
		c.silences.Add(1)
	case wayReset:
		for _, conn := range []net.Conn{k.client, k.server} {
			_ = conn.(*net.TCPConn).SetLinger(0) // makes Close send a reset
		}
	}
}
