package redis

import (
	"context"

	"github.com/earshot/earshot/engine"
)

// Subscribe implements engine.Cluster.
func (e *Engine) Subscribe(ctx context.Context, channel string) (engine.Position, error) {
	if err := e.enter(); err != nil {
		return engine.Position{}, err
	}
	defer e.leave()
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	for {
		f := e.feeds.add(channel)
		top, again, err := e.attach(ctx, f)
		if !again {
			return top, unavailable("subscribe", err)
		}
	}
}

// attach starts a feed unless it is attached already. Again says that it was given up meanwhile.
func (e *Engine) attach(ctx context.Context, f *channelFeed) (top engine.Position, again bool, err error) {
	f.attaching.Lock()
	defer f.attaching.Unlock()
	if f.detached {
		return top, true, nil
	}
	m, err := e.openFeed(ctx, f)
	if err != nil && !f.attached {
		e.detachLocked(ctx, f)
	}
	return m.top, false, err
}

// openFeed has Redis send the feed, and only then reads where it starts. The caller holds attaching.
func (e *Engine) openFeed(ctx context.Context, f *channelFeed) (meta, error) {
	if !f.attached {
		if err := e.listeners.subscribe(ctx, f.keys.feed); err != nil {
			return meta{}, err
		}
	}
	m, err := e.openChannel(ctx, f.name, f.rules)
	if err == nil && !f.attached {
		f.attached = true
		f.open(m.top)
	}
	return m, err
}

// Unsubscribe implements engine.Cluster.
func (e *Engine) Unsubscribe(channel string) {
	if e.enter() != nil {
		return
	}
	defer e.leave()
	f := e.feeds.find(e.keys.channel(channel).feed)
	if f == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.options.Timeout)
	defer cancel()
	f.attaching.Lock()
	defer f.attaching.Unlock()
	if !f.detached {
		e.detachLocked(ctx, f)
	}
}

// detachLocked ends a feed for good. The caller holds attaching; whoever subscribes meanwhile waits for it.
func (e *Engine) detachLocked(ctx context.Context, f *channelFeed) {
	f.detached = true
	f.end()
	e.listeners.unsubscribe(ctx, f.keys.feed)
	e.feeds.remove(f)
}
