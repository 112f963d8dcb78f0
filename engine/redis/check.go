package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// checkBatch is how many channels are compared with Redis in one pipeline.
const checkBatch = 256

// checksPerInterval is in how many spans an interval is looked at. A message that is lost right after another came is missed
// by the check at the end of that span, in which the channel was not quiet, and found by the next.
const checksPerInterval = 2

// check compares each channel that is quiet with Redis once in every interval, and all of them after a reconnect. Those that
// could not be compared then are tried again: connections that were idle may be found broken only when they are used.
func (f *feeds) check(ctx context.Context) {
	var left []*channelFeed
	ticker := time.NewTicker(f.engine.options.CheckInterval / checksPerInterval)
	defer ticker.Stop()
	for {
		var again <-chan time.Time
		if len(left) > 0 {
			again = time.After(probeEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-f.checkNow:
			left = f.compare(ctx, f.all())
		case <-again:
			left = f.compare(ctx, left)
		case <-ticker.C:
			f.engine.durability.read(ctx, f.engine)
			f.compare(ctx, f.quiet())
		}
	}
}

// quiet returns the feeds to which nothing came since the last call, and which it did not return since the interval began.
func (f *feeds) quiet() []*channelFeed {
	list := f.all()
	quiet := list[:0]
	for _, c := range list {
		if c.rest() {
			quiet = append(quiet, c)
		}
	}
	return quiet
}

// rest begins another span, and reports whether the feed was quiet in the last one and is to be compared.
func (c *channelFeed) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy && c.state == feedLive {
		c.busy, c.quiet = false, 0
		return false
	}
	c.busy = false
	c.quiet++
	return c.quiet%checksPerInterval == 1
}

// compare has the feeds repaired that are not where Redis is, and returns those that could not be compared. It gives up
// when Redis answers nothing.
func (f *feeds) compare(ctx context.Context, list []*channelFeed) (left []*channelFeed) {
	for len(list) > 0 {
		n := min(len(list), checkBatch)
		failed := f.compareSome(ctx, list[:n])
		if len(failed) == n {
			return append(left, list...)
		}
		left = append(left, failed...)
		list = list[n:]
	}
	return left
}

func (f *feeds) compareSome(ctx context.Context, list []*channelFeed) (failed []*channelFeed) {
	ctx, cancel := context.WithTimeout(ctx, f.engine.options.Timeout)
	defer cancel()
	commands := make(rueidis.Commands, len(list))
	for i, c := range list {
		commands[i] = c.metaCommand(f.engine.client)
	}
	for i, r := range f.engine.client.DoMulti(ctx, commands...) {
		value, err := r.AsBytes()
		if err != nil && !rueidis.IsRedisNil(err) {
			f.log.Debug("cannot compare a channel with Redis", "channel", list[i].name, "error", err)
			failed = append(failed, list[i])
			continue
		}
		m, err := decodeMeta(value)
		if err != nil || !list[i].isAt(m) {
			f.broken.put(list[i])
		}
	}
	return failed
}

// metaCommand reads the channel's meta. That of a channel which keeps nothing lives on because a node listens.
func (c *channelFeed) metaCommand(client rueidis.Client) rueidis.Completed {
	if c.retained() {
		return client.B().Get().Key(c.keys.meta).Build()
	}
	return client.B().Getex().Key(c.keys.meta).PxMilliseconds(liveTTL.Milliseconds()).Build()
}

// isAt reports whether the feed works and has come as far as m.
func (c *channelFeed) isAt(m meta) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == feedLive && c.at == m.top || c.state == feedEnded || c.state == feedOpening
}
