package websocket

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// Errors that Handler.Closed is given, besides a *CloseError and errors of the network.
var (
	ErrServerClosed = errors.New("websocket: server is closed")
	ErrAborted      = errors.New("websocket: aborted")
	ErrNoClose      = errors.New("websocket: the peer went away without a close frame")
	ErrSilent       = errors.New("websocket: nothing heard from the peer after a ping")
	ErrStalled      = errors.New("websocket: the peer takes no bytes")
	ErrCloseTimeout = errors.New("websocket: the peer did not answer the close frame in time")
)

// Server owns what many connections share: the flush workers and the wheel that keeps their times. Its methods may be
// called concurrently.
type Server struct {
	cfg     Config // with defaults
	wheel   *wheel
	workers [][lanes]*worker // a worker for each lane
	parsers sync.Pool        // of *parser that are between two messages
	next    atomic.Uint32    // the worker of the next connection

	quiet chan struct{} // closed after Close, when no connection is left: Run may end
	idle  chan struct{} // closed after quiet, when Run has ended

	connections sync.WaitGroup // their goroutines, and handshakes under way
	runs        sync.WaitGroup
	waiter      sync.WaitGroup // the goroutine that closes quiet and idle

	mu     sync.Mutex
	closed bool
}

// NewServer returns a server with no connections. It starts no goroutine.
func NewServer(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:   cfg,
		wheel: newWheel(cfg),
		quiet: make(chan struct{}),
		idle:  make(chan struct{}),
	}
	s.parsers.New = func() any {
		return &parser{maxMessageBytes: cfg.MaxMessageBytes, maxFrames: cfg.MaxFragments}
	}
	for range cfg.Workers {
		s.workers = append(s.workers, [lanes]*worker{newWorker(soon, cfg.TurnBytes), newWorker(later, cfg.TurnBytes)})
	}
	return s
}

// Run writes what connections have to say and keeps their times, until ctx ends or Close is done with the connections;
// then it returns nil. Without it connections only read. It is called once, and returns at once after Close.
func (s *Server) Run(ctx context.Context) error {
	if !s.enter(&s.runs) {
		return nil
	}
	defer s.runs.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var running sync.WaitGroup
	defer running.Wait()
	for _, pair := range s.workers {
		for _, w := range pair {
			running.Go(func() { w.run(ctx.Done()) })
		}
	}
	running.Go(func() { s.wheel.run(ctx.Done()) })

	select {
	case <-ctx.Done():
	case <-s.quiet:
		cancel()
	}
	return nil
}

// Close refuses new connections, aborts those that are left, ends Run, and waits until every goroutine has ended or ctx
// has, whose error it then returns. A Handler that blocks in Message holds it up unless it watches Conn.Done. It is
// idempotent. To end connections with a close frame, Close each of them before.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		s.waiter.Go(func() {
			s.connections.Wait()
			close(s.quiet)
			s.runs.Wait()
			close(s.idle)
		})
		for _, c := range s.wheel.close() {
			c.Abort(ErrServerClosed)
		}
	}
	select {
	case <-s.idle:
		s.waiter.Wait()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter adds the caller to a group that Close waits for, and reports whether the server is open.
func (s *Server) enter(group *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	group.Add(1)
	return true
}

// serve starts a connection. The caller has entered connections.
func (s *Server) serve(nc net.Conn, early []byte, agreed agreement, accept func(c *Conn) Handler) {
	c := newConn(s, newSocket(nc), agreed)
	accepted := false
	defer func() {
		if !accepted { // accept panicked; net/http logs it
			c.sock.abort()
		}
	}()
	c.handler = accept(c)
	accepted = true
	if !s.wheel.add(c) {
		c.Abort(ErrServerClosed)
	}
	s.connections.Go(func() { c.readLoop(early) })
	c.endTurn(false)
}

// pickWorkers deals connections out to the pairs of workers in turn.
func (s *Server) pickWorkers() *[lanes]*worker {
	return &s.workers[s.next.Add(1)%uint32(len(s.workers))]
}
