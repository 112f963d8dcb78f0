// Package hub knows who on this node listens to what. It keeps a ring of the newest entries of each channel that somebody
// listens to, wakes listeners when there is news, and lets each read at its own pace: from the ring, and from the log
// where the ring has moved on.
package hub

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

const (
	shards = 64
	// readers is how many reads of the log are under way at once.
	readers = 8
	// vacancy is how long a channel without listeners stays attached, so that clients which come back at once find its
	// ring and, in a channel that keeps nothing, its epoch.
	vacancy = 30 * time.Second
	// sweepEvery is how often vacant channels are detached, quiet rings shrunk, and failed reads tried again.
	sweepEvery = time.Second
	// shrinkEvery is how long a channel must be quiet before its ring is shrunk.
	shrinkEvery = 30 * time.Second
)

// Listener is woken when one of its subscriptions may have something to read. Its methods must not block, and may be called
// at any time by any goroutine, also when there is nothing to read.
type Listener interface {
	Wake()
	// WakeLater is Wake for one of a crowd that hears the same, or for one that is behind: others may go first.
	WakeLater()
}

// Hub connects listeners to an engine. It is an engine.Feed.
type Hub struct {
	engine engine.Engine
	rules  func(channel string) engine.Rules
	log    *slog.Logger
	seed   maphash.Seed
	shards [shards]shard

	news  *line[*channel]      // channels whose listeners are to be woken; those with a crowd stand in its second row
	reads *line[*Subscription] // subscriptions that wait for a page of the log
	again retries

	shared sharedReads

	busy  tended // channels that had news lately
	aging tended // channels whose ring has what will be too old
}

type shard struct {
	mu       sync.Mutex
	channels map[string]*channel
	vacated  []vacated // in the order of their times
}

// New returns a Hub over e. Rules says of what kind a channel is.
func New(e engine.Engine, rules func(channel string) engine.Rules, log *slog.Logger) *Hub {
	h := &Hub{
		engine: e, rules: rules, log: log, seed: maphash.MakeSeed(),
		news: newLine[*channel](), reads: newLine[*Subscription](),
	}
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*channel)
	}
	return h
}

// Run wakes listeners and reads for those who are behind, until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { h.wake() })
	for range readers {
		wg.Go(func() { h.read(ctx) })
	}
	wg.Go(func() { h.sweep(ctx) })
	<-ctx.Done()
	h.news.close()
	h.reads.close()
	wg.Wait()
	return nil
}

// Join makes l a listener of the channel. The subscription reads nothing before it is started.
func (h *Hub) Join(ctx context.Context, name string, l Listener) (*Subscription, error) {
	c := h.acquire(name)
	if err := c.attach(ctx, h.engine); err != nil {
		h.release(c)
		return nil, err
	}
	s := &Subscription{channel: c, listener: l}
	c.add(s)
	return s, nil
}

// Committed appends to the channel's ring and has its listeners woken.
func (h *Hub) Committed(name string, pubs []*engine.Publication) {
	if c := h.find(name); c != nil && c.feed(pubs) {
		h.announce(c)
	}
}

// Restarted empties the channel's ring and has its listeners woken, who find out from the log what they lost.
func (h *Hub) Restarted(name string, top engine.Position) {
	if c := h.find(name); c != nil && c.restart(top) {
		h.announce(c)
	}
}

func (h *Hub) find(name string) *channel {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.channels[name]
}

func (h *Hub) shard(name string) *shard {
	return &h.shards[maphash.String(h.seed, name)%shards]
}

// acquire returns the channel, made if need be, and keeps it until release.
func (h *Hub) acquire(name string) *channel {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	c := sh.channels[name]
	if c == nil {
		c = newChannel(h, name, h.rules(name))
		sh.channels[name] = c
	}
	c.refs++
	return c
}

func (h *Hub) release(c *channel) {
	sh := h.shard(c.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	c.refs--
	if c.refs == 0 {
		c.vacantSince = time.Now()
		if !c.listed {
			c.listed = true
			sh.vacated = append(sh.vacated, vacated{c, c.vacantSince})
		}
	}
}
