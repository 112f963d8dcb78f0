package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// How long a listener waits before it connects again.
const (
	minReconnectDelay = 50 * time.Millisecond
	maxReconnectDelay = 2 * time.Second
)

// subscribeBatch is how many subscriptions are sent at once after a reconnect.
const subscribeBatch = 512

var (
	errNotConnected = errors.New("not connected")
	errTaken        = errors.New("redis ended a subscription")
)

// listener keeps one connection to one Redis for the feeds. What was lost while there was none is found by comparing
// each channel with Redis afterwards.
type listener struct {
	all     *listeners
	feeds   *feeds
	client  rueidis.Client // nil: each connection has one of its own
	address string         // of a master of a cluster
	log     *slog.Logger
	timeout time.Duration
	stop    context.CancelFunc // of a listener of a cluster

	breaker breaker // of calls of this Redis

	mu      sync.Mutex
	conn    rueidis.DedicatedClient // nil without a connection
	failure trouble                 // why there is none
	changed chan struct{}           // closed, and made anew, when conn changes

	taken chan struct{} // holds a token when Redis took a subscription away
}

func newListener(all *listeners, client rueidis.Client, address string) *listener {
	l := &listener{
		all: all, feeds: all.engine.feeds, client: client, address: address,
		log: all.engine.options.Logger, timeout: all.engine.options.Timeout,
		changed: make(chan struct{}), taken: make(chan struct{}, 1),
	}
	l.failure.note(errNotConnected)
	return l
}

// run connects, again and again, until ctx ends.
func (l *listener) run(ctx context.Context) {
	delay := minReconnectDelay
	for ctx.Err() == nil {
		began := time.Now()
		err := l.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		l.log.Warn("connection to Redis for the feeds was lost", "address", l.address, "error", err)
		l.all.doubt()
		if time.Since(began) > maxReconnectDelay {
			delay = minReconnectDelay
		}
		pause(ctx, delay)
		delay = min(2*delay, maxReconnectDelay)
	}
}

// serve connects, subscribes to all feeds, and returns when the connection is lost or ctx ends.
func (l *listener) serve(ctx context.Context) error {
	client := l.client
	if client == nil {
		var err error
		if client, err = l.all.dial(l.address); err != nil {
			l.set(nil, err)
			return err
		}
		defer client.Close()
	}
	conn, release := client.Dedicate()
	defer release()
	defer conn.Close()
	return l.serveConn(ctx, conn)
}

func (l *listener) serveConn(ctx context.Context, conn rueidis.DedicatedClient) error {
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage:      func(m rueidis.PubSubMessage) { l.feeds.receive(m.Channel, m.Message) },
		OnSubscription: l.subscribed,
	})
	if err := l.ping(ctx, conn); err != nil {
		l.set(nil, err)
		return err
	}
	l.set(conn, nil)
	defer l.set(nil, errNotConnected)
	if err := l.subscribeAll(ctx, conn); err != nil {
		return err
	}
	l.breaker.note(nil) // Redis answers
	l.feeds.compareSoon()
	select {
	case err := <-lost:
		return err
	case <-l.taken:
		return errTaken
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *listener) ping(ctx context.Context, conn rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return conn.Do(ctx, conn.B().Ping().Build()).Error()
}

func (l *listener) set(conn rueidis.DedicatedClient, failure error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	l.failure.note(failure)
	close(l.changed)
	l.changed = make(chan struct{})
}

// subscribeAll subscribes to every feed of this Redis.
func (l *listener) subscribeAll(ctx context.Context, conn rueidis.DedicatedClient) error {
	names := append(l.feeds.names(), l.feeds.engine.nodes.control.names()...)
	names = slices.DeleteFunc(names, func(name string) bool { return l.all.of(name) != l })
	for len(names) > 0 {
		n := min(len(names), subscribeBatch)
		if err := l.subscribeSome(ctx, conn, names[:n]); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

func (l *listener) subscribeSome(ctx context.Context, conn rueidis.DedicatedClient, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	commands := make([]rueidis.Completed, len(names))
	for i, name := range names {
		commands[i] = conn.B().Ssubscribe().Channel(name).Build()
	}
	for _, r := range conn.DoMulti(ctx, commands...) {
		if err := r.Error(); err != nil {
			return fmt.Errorf("subscribe to feeds: %w", err)
		}
	}
	for _, name := range names { // some may have been given up meanwhile
		if !l.feeds.wants(name) {
			l.drop(ctx, conn, name)
		}
	}
	return nil
}

// subscribe returns once Redis sends the feed to this node.
func (l *listener) subscribe(ctx context.Context, name string) error {
	conn, err := l.connected(ctx)
	if err != nil {
		return err
	}
	return conn.Do(ctx, conn.B().Ssubscribe().Channel(name).Build()).Error()
}

// connected waits for a connection until ctx ends.
func (l *listener) connected(ctx context.Context) (rueidis.DedicatedClient, error) {
	for {
		l.mu.Lock()
		conn, failure, changed := l.conn, l.failure.err, l.changed
		l.mu.Unlock()
		if conn != nil {
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", failure, ctx.Err())
		}
	}
}

// unsubscribe returns once Redis does not send the feed any more. Without a connection it does not.
func (l *listener) unsubscribe(ctx context.Context, name string) {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	if conn != nil {
		l.drop(ctx, conn, name)
	}
}

func (l *listener) drop(ctx context.Context, conn rueidis.DedicatedClient, name string) {
	if err := conn.Do(ctx, conn.B().Sunsubscribe().Channel(name).Build()).Error(); err != nil {
		l.log.Debug("cannot unsubscribe from a feed", "error", err)
	}
}

// subscribed is told of every change of a subscription. One that Redis ended by itself is a reason to connect anew.
func (l *listener) subscribed(s rueidis.PubSubSubscription) {
	if s.Kind != "sunsubscribe" || !l.feeds.wants(s.Channel) {
		return
	}
	select {
	case l.taken <- struct{}{}:
	default:
	}
}

// trouble says why there is no connection, or no answer to calls.
func (l *listener) trouble() trouble {
	l.mu.Lock()
	failure := l.failure
	l.mu.Unlock()
	return failure.and(l.breaker.trouble())
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
