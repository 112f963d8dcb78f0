package redis

import (
	"context"
	"strconv"
	"sync"

	"github.com/earshot/earshot/engine"
)

const (
	repairers   = 4 // feeds that are repaired at once
	repairLimit = 256
	repairBytes = 1 << 20
	// maxFences bounds how often one repair asks for a new epoch before it takes the log as it is.
	maxFences = 3
)

// repairLine is the feeds that wait to be repaired, each once.
type repairLine struct {
	mu     sync.Mutex
	ready  sync.Cond
	feeds  []*channelFeed
	in     map[*channelFeed]bool
	closed bool
}

func (l *repairLine) put(c *channelFeed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.in[c] {
		return
	}
	if l.in == nil {
		l.in = make(map[*channelFeed]bool)
	}
	l.in[c] = true
	l.feeds = append(l.feeds, c)
	l.ready.Signal()
}

// take waits for a feed. It returns nil once the line is closed.
func (l *repairLine) take() *channelFeed {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.feeds) == 0 && !l.closed {
		l.ready.Wait()
	}
	if l.closed {
		return nil
	}
	c := l.feeds[0]
	l.feeds[0] = nil
	l.feeds = l.feeds[1:]
	delete(l.in, c)
	return c
}

func (f *feeds) close() {
	f.broken.mu.Lock()
	defer f.broken.mu.Unlock()
	f.broken.closed = true
	f.broken.ready.Broadcast()
}

// repair repairs feeds until there are none to come.
func (f *feeds) repair(ctx context.Context) {
	for c := f.broken.take(); c != nil; c = f.broken.take() {
		err := c.repair(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		f.log.Warn("cannot repair a feed, will try again", "channel", c.name, "error", err)
		pause(ctx, probeEvery)
		f.broken.put(c)
	}
}

// repair reads what the feed misses until what Redis sends joins on.
func (c *channelFeed) repair(ctx context.Context) error {
	c.repairing.Lock()
	defer c.repairing.Unlock()
	if c.rules.Kind == engine.KindMap && c.comesUp(ctx) {
		return nil
	}
	for {
		at, ok := c.beginRepair()
		if !ok {
			return nil
		}
		if err := c.catchUp(ctx, at); err != nil {
			return err
		}
		if c.resume() {
			return nil
		}
	}
}

// beginRepair returns where the feed is. It drops what is held, as all of it is in Redis by now.
func (c *channelFeed) beginRepair() (at engine.Position, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == feedEnded || c.state == feedOpening {
		return at, false
	}
	if c.retained() {
		c.state = feedRepairing
		c.dropHeldLocked()
	}
	return c.at, true
}

func (c *channelFeed) resume() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state != feedRepairing || c.resumeLocked()
}

// catchUp feeds the entries that follow at, as far as the log has them.
func (c *channelFeed) catchUp(ctx context.Context, at engine.Position) error {
	switch c.rules.Kind {
	case engine.KindPub:
		return c.compareLive(ctx, at)
	case engine.KindMap:
		return c.catchUpMap(ctx, at)
	}
	for fences := 0; fences < maxFences; {
		page, err := c.feeds.engine.page(ctx, c.name, c.rules, engine.Query{Since: &at, Limit: repairLimit, MaxBytes: repairBytes})
		switch {
		case err != nil:
			return err
		case page.Complete:
			c.feed(page.Publications)
			at = page.End
			if !page.More {
				return nil
			}
		case page.Evicted || page.Top.Epoch != at.Epoch:
			return c.startAnew(ctx)
		default: // the log has lost what this node was fed
			fences++
			if err := c.fence(ctx, at); err != nil {
				return err
			}
		}
	}
	return c.startAnew(ctx)
}

func (c *channelFeed) feed(pubs []*engine.Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == feedRepairing {
		c.feedLocked(pubs)
	}
}

// startAnew goes on with the newest publication, which does not join what was fed: the node notices, and its readers find
// out from the log what they lost.
func (c *channelFeed) startAnew(ctx context.Context) error {
	page, err := c.feeds.engine.page(ctx, c.name, c.rules, engine.Query{Limit: 1})
	if err != nil {
		return err
	}
	c.feed(page.Publications)
	c.moveTo(page.Top)
	return nil
}

// moveTo has the feed go on after top. Where nothing was fed that leads there, the node is told so.
func (c *channelFeed) moveTo(top engine.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restartLocked(top)
}

func (c *channelFeed) restartLocked(top engine.Position) {
	if c.state == feedEnded || c.at == top {
		return
	}
	c.at, c.busy = top, true
	c.feeds.restarted(c.name, top)
}

// fence begins a new epoch if Redis does not have the entry at p, which this node was fed.
func (c *channelFeed) fence(ctx context.Context, p engine.Position) error {
	e := c.feeds.engine
	script, keys := fenceScript, []string{c.keys.meta, c.keys.entries}
	if c.rules.Kind == engine.KindMap {
		script, keys = mapFenceScript, c.keys.ofMap()
	}
	args := []string{
		c.keys.feed, epochArg(p.Epoch), offsetArg(p.Offset), strconv.FormatUint(uint64(p.Tag), 10), newEpoch(), flag(c.retained()),
	}
	began, err := e.exec(ctx, script, keys, args).AsBool()
	if began {
		c.feeds.log.Warn("Redis lost the newest entries of a channel, which begins a new epoch", "channel", c.name)
	}
	return err
}

// compareLive looks whether Redis still knows a channel that keeps nothing, and as far as this node does.
func (c *channelFeed) compareLive(ctx context.Context, at engine.Position) error {
	e := c.feeds.engine
	m, err := e.openChannel(ctx, c.name, c.rules)
	if err != nil || m.top == at {
		return err
	}
	if m.top.Epoch == at.Epoch {
		if err := c.fence(ctx, at); err != nil {
			return err
		}
		if m, err = e.openChannel(ctx, c.name, c.rules); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.top.Epoch != at.Epoch && c.at == at {
		c.restartLocked(m.top)
	}
	return nil
}
