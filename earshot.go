// Package earshot gives an application live, two-way communication: channels that browsers, services and devices
// subscribe and publish to, with a delivery contract: nothing is silently lost.
//
// A Server is an http.Handler. Run keeps it going, Close drains it:
//
//	srv, err := earshot.New(earshot.Options{
//		Data:       "./data",
//		Namespaces: map[string]earshot.Namespace{"chat": {Kind: earshot.Log, Subscribe: earshot.Anyone}},
//	})
//	http.Handle("/live/", srv)
//
// Clients connect to /live/websocket: see docs/reference/protocol.md, the package client, and @earshot/client.
package earshot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/local"
	"github.com/earshot/earshot/engine/redis"
	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/internal/transport"
	"github.com/earshot/earshot/internal/websocket"
)

// closeTimeout is how long a server whose context ended drains, and then how long the store may take to close.
const closeTimeout = 10 * time.Second

// openTimeout bounds the first connection to Redis.
const openTimeout = 10 * time.Second

// Server is one Earshot: a node. Its methods may be called concurrently.
type Server struct {
	log        *slog.Logger
	namespaces namespaces
	engine     engine.Engine
	hub        *hub.Hub
	node       *session.Node
	tokens     *auth.Verifier // nil without Options.Tokens
	revoked    *revocations
	sockets    *websocket.Server
	websocket  http.Handler
	http       *transport.HTTP
	notice     time.Duration // Options.CloseNotice

	leaving   atomic.Pointer[time.Time] // when Close was called; nil before
	closeOnce sync.Once
	closeErr  error
	closed    chan struct{}
}

// New opens the store and returns a Server that serves once Run is called. The caller closes it.
func New(o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	tokens, err := o.verifier()
	if err != nil {
		return nil, err
	}
	log := o.logger()
	rules := newNamespaces(o.Namespaces)
	e, err := openEngine(o, log, rules)
	if err != nil {
		return nil, err
	}
	return assemble(o, log, rules, e, tokens), nil
}

func openEngine(o Options, log *slog.Logger, rules namespaces) (engine.Engine, error) {
	if o.Engine != "" {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		// Its errors do not hold the URL: that may have a password.
		return redis.Open(ctx, redis.Options{URL: o.Engine, Rules: rules.engineRules, Logger: log})
	}
	e, err := local.Open(local.Options{Dir: o.Data, Rules: rules.engineRules, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("open the store in %q: %w", o.Data, err)
	}
	return e, nil
}

// assemble connects the parts, each to the one below it.
func assemble(o Options, log *slog.Logger, rules namespaces, e engine.Engine, tokens *auth.Verifier) *Server {
	s := &Server{log: log, namespaces: rules, engine: e, tokens: tokens, notice: o.CloseNotice, closed: make(chan struct{})}
	s.sockets = websocket.NewServer(websocket.Config{
		PingInterval: o.PingInterval, StallTimeout: o.StallTimeout, Compression: o.Compression,
	})
	s.hub = hub.New(e, rules.engineRules, log)
	s.revoked = newRevocations(s.hub, log, s.endRevoked)
	peers, _ := e.(engine.Nodes)
	s.node = session.NewNode(session.Config{
		Hub: s.hub, Engine: e, Peers: peers, Log: log, HelloTimeout: o.helloTimeout(),
		Policy:  policy{namespaces: rules, hooks: o, tokens: tokens, revoked: s.revoked, log: log},
		Revoked: s.revoked.holds,
	})
	if peers != nil {
		peers.Serve(s.node)
	}
	origins := transport.Origins{Allowed: o.AllowedOrigins, InsecureAny: o.InsecureAnyOrigin}
	s.websocket = transport.NewWebSocket(s.node, s.sockets, origins, log)
	s.http = transport.NewHTTP(s.node, origins, log)
	return s
}

// Run serves until ctx ends or Close is called, then returns once everything has stopped. It is called once. When ctx
// ends it closes the server as Close does, within 10 s after Options.CloseNotice.
func (s *Server) Run(ctx context.Context) error {
	parts, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{
		func(ctx context.Context) error { return s.engine.Run(ctx, s.hub) },
		s.hub.Run, s.revoked.Run, s.node.Run, s.sockets.Run, s.http.Run,
	} {
		running.Go(func() {
			if err := run(parts); err != nil {
				s.log.Error("a part of the server stopped", "error", err)
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-s.closed:
	}
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.notice+closeTimeout)
	defer cancel()
	err := s.Close(timeout)
	stop()
	running.Wait()
	return err
}

// Close drains the server: Health is not ready from its call on, and after Options.CloseNotice new connections are refused,
// every client is told to come back after a delay of its own, accepted messages are committed, and the store is closed. Of a
// server with an Engine, clients are sent away over a window, 500 each second. When ctx ends, clients that are still there are
// cut off, and the rest has another 10 s. It is idempotent.
func (s *Server) Close(ctx context.Context) error {
	s.closeOnce.Do(func() {
		defer close(s.closed)
		s.announce(ctx)
		if err := s.node.Drain(ctx); err != nil {
			s.log.Warn("clients were cut off at the end of draining", "error", err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		s.closeErr = errors.Join(s.sockets.Close(ctx), s.engine.Close(ctx))
		if s.tokens != nil {
			s.tokens.Close()
		}
	})
	return s.closeErr
}

// announce says in Health that the server is about to stop, and leaves time to hear it.
func (s *Server) announce(ctx context.Context) {
	now := time.Now()
	s.leaving.Store(&now)
	if s.notice <= 0 {
		return
	}
	timer := time.NewTimer(s.notice)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
