package redis

import (
	"context"
	"time"

	"github.com/earshot/earshot/engine"
)

// onItsWay is how long a change that Redis has committed may take to come to a node before it counts as lost.
const onItsWay = 100 * time.Millisecond

// comesUp reports whether a feed of a map that is behind gets what it misses after all: unlike that of a log, it can't be
// read afterwards.
func (c *channelFeed) comesUp(ctx context.Context) bool {
	at, live := c.position()
	m, err := c.feeds.engine.openChannel(ctx, c.name, c.rules)
	if err != nil || !live || m.top.Epoch != at.Epoch || m.top.Offset < at.Offset {
		return false
	}
	if m.top.Offset == at.Offset {
		return m.top == at
	}
	pause(ctx, onItsWay)
	at, live = c.position()
	return live && at.Epoch == m.top.Epoch && at.Offset >= m.top.Offset
}

// position returns where the feed is, and whether it is live.
func (c *channelFeed) position() (engine.Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, c.state == feedLive
}

// catchUpMap has the feed of a map go on with the newest change: its readers read from Redis what they missed.
func (c *channelFeed) catchUpMap(ctx context.Context, at engine.Position) error {
	e := c.feeds.engine
	scan, err := e.scanMap(ctx, c.name, c.rules, "newest", 1, 0)
	if err != nil || scan.top == at {
		return err
	}
	if scan.top.Epoch == at.Epoch {
		if err := c.fence(ctx, at); err != nil {
			return err
		}
		if scan, err = e.scanMap(ctx, c.name, c.rules, "newest", 1, 0); err != nil {
			return err
		}
	}
	for _, m := range scan.entries {
		c.feed([]*engine.Publication{m.Publication})
	}
	c.moveTo(scan.top)
	return nil
}
