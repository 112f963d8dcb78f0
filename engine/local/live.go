package local

import (
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

// liveCommitter commits the batches of unretained channels: there is nothing to write. Only its lane's goroutine uses it.
type liveCommitter struct {
	engine *Engine
	feeds  []liveFeed
	body   []byte // of the proposal that is being committed
}

// liveFeed is what a batch holds of one channel.
type liveFeed struct {
	ch   *channel
	pubs []*engine.Publication
}

func (c *liveCommitter) commit(batch []proposal) {
	now := c.engine.nowMS()
	for i := range batch {
		batch[i].err = c.add(&batch[i], now)
	}
	for i := range batch {
		batch[i].done(batch[i].answer())
	}
	for _, f := range c.feeds {
		c.engine.feed.Committed(f.ch.name, f.pubs)
	}
	c.engine.table.releaseProposals(batch)
	clear(c.feeds)
	c.feeds = c.feeds[:0]
}

func (c *liveCommitter) add(p *proposal, now int64) error {
	p.receipt.Durability = engine.DurabilityNone
	if p.keyed {
		if r, found := c.engine.liveKeys.find(p.key, now, keyWindow(p.rules)); found {
			p.receipt.Position, p.receipt.Duplicate = r.position, true
			if r.digest != p.digest {
				return engine.ErrIdemReused
			}
			return nil
		}
	}
	c.body = p.appendBody(c.body[:0])
	p.receipt.Position = p.ch.appendLive(p.pub, c.body, now)
	if !p.receipt.Position.IsZero() && c.engine.feed != nil {
		c.collect(p)
	}
	if p.keyed {
		r := keyRecord{digest: p.digest, unixMS: now, position: p.receipt.Position}
		c.engine.liveKeys.add(p.key, r, keyWindow(p.rules))
	}
	return nil
}

// collect adds a publication to what its channel is fed; a batch tends to hold runs of the same channel.
func (c *liveCommitter) collect(p *proposal) {
	if n := len(c.feeds); n > 0 && c.feeds[n-1].ch == p.ch {
		c.feeds[n-1].pubs = append(c.feeds[n-1].pubs, p.pub)
		return
	}
	c.feeds = append(c.feeds, liveFeed{ch: p.ch, pubs: []*engine.Publication{p.pub}})
}

// appendLive gives the publication its place in the channel, or the zero position if the node does not listen.
func (c *channel) appendLive(p *engine.Publication, body []byte, now int64) engine.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.UnixMS = now
	if c.live == nil {
		return engine.Position{}
	}
	l := c.live
	l.unixMS = max(l.unixMS, now)
	p.UnixMS, p.PrevTag = l.unixMS, l.top.Tag
	l.top.Offset++
	l.top.Tag = chainTag(p.PrevTag, p.UnixMS, body)
	p.Position = l.top
	return l.top
}

// liveKeys are the idempotency ids of unretained channels, kept in memory. Methods may be called concurrently.
type liveKeys struct {
	mu sync.Mutex
	segments
}

func (k *liveKeys) find(id keyID, now int64, window time.Duration) (keyRecord, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.list) - 1; i >= 0; i-- {
		if r := k.list[i].records[id]; r != nil && r.fresh(now, window) {
			return *r, true
		}
	}
	return keyRecord{}, false
}

func (k *liveKeys) add(id keyID, r keyRecord, window time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.open(r.unixMS, window)
	if g == nil {
		g = k.begin(r.unixMS, window)
		g.records = map[keyID]*keyRecord{}
	}
	k.grow(g)
	g.records[id] = &r
	if k.bytes > k.maxBytes {
		k.drop(r.unixMS)
	}
}

func (k *liveKeys) expire(now int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(now)
}

func (k *liveKeys) shortenedCount() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shortened
}
