package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Client is one application's place at a server: its connection, subscriptions and unanswered publishes.
type Client struct {
	// Set by Connect, then read-only.
	base   base
	opts   Options
	log    *slog.Logger
	sender string             // names this client across reconnects
	life   context.Context    // ends when the client is to end: no more tries, close politely
	end    context.CancelFunc // ends life
	hard   context.Context    // ends when even politeness takes too long
	kill   context.CancelFunc // ends hard
	done   chan struct{}      // closed when run is over
	turn   chan struct{}      // held by the call that waits for room: callers get it in their order
	room   chan struct{}      // holds a token once calls were answered

	blockedUntil time.Time // WebSocket is believed to be blocked; owned by run

	running sync.WaitGroup // waits for run and for handlers of calls

	mu sync.Mutex
	// Guarded by mu.
	state        State
	over         error // why the client takes no more calls; nil while it does
	link         *link // the open connection, if any
	resume       string
	subs         map[string]*Subscription
	lastSeq      uint64
	unsent       []*call // in the order of their seq
	pending      int     // calls unanswered, sent or not
	pendingBytes int
	standing     map[stand]*standing // what is said again on each connection
	handlers     map[string]Handler  // by method
	handling     int                 // calls that this client is answering
}

// Connect returns a client of the server at address, such as "http://127.0.0.1:8000"; a path in it replaces "/live".
// It returns at once, and the client connects, and connects again, until Close or until ctx ends. Errors are those of
// the address and the options.
func Connect(ctx context.Context, address string, opts Options) (*Client, error) {
	base, err := parseBase(address)
	if err != nil {
		return nil, err
	}
	opts, err = opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("client options: %w", err)
	}
	c := &Client{
		base:   base,
		opts:   opts,
		log:    opts.Logger,
		sender: rand.Text(),
		done:   make(chan struct{}),
		turn:   make(chan struct{}, 1),
		room:   make(chan struct{}, 1),
		subs:   make(map[string]*Subscription),

		standing: make(map[stand]*standing),
		handlers: make(map[string]Handler),
	}
	c.life, c.end = context.WithCancel(ctx)
	c.hard, c.kill = context.WithCancel(context.WithoutCancel(ctx))
	c.running.Go(c.run)
	return c, nil
}

// Close ends the client: what is under way fails with ErrClosed (a publish may have been committed all the same),
// subscriptions end, and the connection is closed politely for as long as ctx lasts. It waits until nothing of the client
// runs any more and is idempotent.
func (c *Client) Close(ctx context.Context) error {
	c.shut(ErrClosed)
	c.end()
	select {
	case <-c.done:
		c.running.Wait()
		return nil
	case <-ctx.Done():
		c.kill()
		c.running.Wait()
		return fmt.Errorf("close client: %w", context.Cause(ctx))
	}
}

// Done returns a channel that is closed once the client has ended; State().Err says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// shut makes every call and subscription, present and future, fail with err. The first time counts.
func (c *Client) shut(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return
	}
	c.over = err
	for _, call := range c.unsent {
		c.answerLocked(call, answer{err: err})
	}
	c.unsent = nil
	if c.link != nil {
		for _, call := range c.link.calls {
			c.answerLocked(call, answer{err: err})
		}
		clear(c.link.calls)
	}
	for _, s := range c.subs {
		s.endLocked(err)
	}
	clear(c.subs)
}
