// Package redis is the engine for many nodes: it keeps logs in Redis 7.0 or newer, or in Valkey, and carries messages
// between the nodes by sharded pub/sub.
//
// DESIGN.md says how it works and what it relies on.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// Engine implements engine.Engine.
type Engine struct {
	// Set by Open, then read-only.
	options   Options
	client    rueidis.Client
	keys      keyspace
	outbox    *outbox
	feeds     *feeds
	listeners *listeners
	nodes     *nodes

	durability durability
	schedule   schedule

	closing   chan struct{} // closed when no proposal is accepted any more
	closeOnce sync.Once
	ran       chan struct{} // closed when Run returned

	// background ends with stop.
	background sync.WaitGroup
	stop       context.CancelFunc

	// use is held for reading by whoever uses the client, and for writing to close it.
	use    sync.RWMutex
	closed bool // guarded by use

	start   sync.Mutex
	started bool // guarded by start
}

var _ engine.Engine = (*Engine)(nil)

// Open connects to Redis, which must be there. History and Subscribe work from then on; publishes wait for Run. The caller
// must Close the engine.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	settings, err := o.client()
	if err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	client, err := rueidis.NewClient(settings)
	if err != nil {
		return nil, fmt.Errorf("open engine: connect to Redis: %w", err)
	}
	e := &Engine{
		options: o, client: client, keys: newKeyspace(o.Prefix, settings.SelectDB),
		closing: make(chan struct{}), ran: make(chan struct{}),
	}
	e.outbox = newOutbox(e.commit)
	e.feeds = newFeeds(e)
	e.listeners = newListeners(e, settings)
	e.nodes = newNodes(e)
	e.durability.read(ctx, e)
	if err := e.nodes.begin(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("open engine: register this node: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.background.Go(func() { e.listeners.run(background) })
	e.background.Go(func() { e.feeds.check(background) })
	e.background.Go(func() { e.nodes.keep(background) })
	for range repairers {
		e.background.Go(func() { e.feeds.repair(background) })
	}
	// What the other nodes say from now on must be heard: an order to end sessions is not repeated.
	if err := e.nodes.control.listen(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open engine: listen to the other nodes: %w", err), e.Close(ctx))
	}
	return e, nil
}

// Run implements engine.Engine. It returns nil after Close, and the error of ctx if that ended first; then, too,
// everything that was accepted has been committed or refused.
func (e *Engine) Run(ctx context.Context, feed engine.Feed) error {
	e.start.Lock()
	if e.started {
		e.start.Unlock()
		return errors.New("run engine: it was run or closed before")
	}
	e.started = true
	e.start.Unlock()
	defer close(e.ran)

	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	e.feeds.begin(feed)
	e.outbox.begin()
	work.Go(func() { e.sweep(working) })
	work.Go(func() { e.nodes.control.hear(working) })
	work.Go(func() { e.nodes.control.answer(working) })
	var err error
	select {
	case <-e.closing:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.refuse()
	e.outbox.wait() // before anything is cancelled: calls share connections, and so the fate of one that is being opened
	stop()
	work.Wait()
	return err
}

// refuse makes the engine accept nothing more.
func (e *Engine) refuse() {
	e.closeOnce.Do(func() { close(e.closing) })
	e.outbox.close()
}

// Close implements engine.Engine. If ctx ends before the rest is committed it returns that error; Close can be called
// again to go on waiting.
func (e *Engine) Close(ctx context.Context) error {
	e.refuse()
	e.start.Lock()
	if !e.started { // nobody will ever commit what waits
		e.started = true
		close(e.ran)
		e.outbox.abandon()
	}
	e.start.Unlock()
	select {
	case <-e.ran:
	case <-ctx.Done():
		return fmt.Errorf("close engine: %w", ctx.Err())
	}
	e.use.Lock()
	defer e.use.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.stop()
	e.feeds.close()
	e.background.Wait()
	if err := e.nodes.end(ctx); err != nil {
		e.options.Logger.Warn("cannot end the node's lease: the others take it for alive for a while", "error", err)
	}
	e.client.Close()
	return nil
}

// enter must succeed before the client is used, and leave be called afterwards.
func (e *Engine) enter() error {
	e.use.RLock()
	if e.closed {
		e.use.RUnlock()
		return engine.ErrClosed
	}
	return nil
}

func (e *Engine) leave() { e.use.RUnlock() }

// now returns the time as the scripts take it: empty for that of Redis.
func (e *Engine) now() string {
	if e.options.now == nil {
		return ""
	}
	return strconv.FormatInt(e.options.now().UnixMilli(), 10)
}
