package local

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/engine"
)

// Subscribe implements engine.Cluster.
func (e *Engine) Subscribe(_ context.Context, channel string) (engine.Position, error) {
	if err := e.enter(); err != nil {
		return engine.Position{}, err
	}
	defer e.leave()
	rules := e.options.Rules(channel)
	ch := e.table.acquire(channel)
	defer e.table.release(ch)
	if rules.Kind == engine.KindPub {
		return ch.listenLive(), nil
	}
	if err := ch.load(e.store, rules.Kind, isLoose(rules)); err != nil {
		return engine.Position{}, fmt.Errorf("subscribe: %w", err)
	}
	return ch.listen(), nil
}

// Unsubscribe implements engine.Cluster.
func (e *Engine) Unsubscribe(channel string) {
	ch := e.table.acquire(channel)
	defer e.table.release(ch)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.subscribed, ch.live = false, nil
}

// listen starts the feed of a log: what becomes visible after the position that it returns is fed.
func (c *channel) listen() engine.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribed = true
	return c.log.position()
}

// listenLive starts the feed of an unretained channel, and, if it had none, its epoch.
func (c *channel) listenLive() engine.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribed = true
	if c.live == nil {
		c.live = &liveState{top: engine.Position{Epoch: randomEpoch()}}
	}
	return c.live.top
}

// openLog is openChannel of a log.
func (e *Engine) openLog(name string) (ch *channel, rules engine.Rules, leave func(), err error) {
	return e.openChannel(name, engine.KindLog)
}

// openChannel prepares a log or a map for reading. The caller must call leave when it is done.
func (e *Engine) openChannel(name string, kind engine.Kind) (ch *channel, rules engine.Rules, leave func(), err error) {
	if err := e.enter(); err != nil {
		return nil, rules, nil, err
	}
	if rules = e.options.Rules(name); rules.Kind != kind {
		e.leave()
		return nil, rules, nil, engine.ErrNoHistory
	}
	ch = e.table.acquire(name)
	leave = func() {
		e.table.release(ch)
		e.leave()
	}
	if err := ch.load(e.store, kind, isLoose(rules)); err != nil {
		leave()
		return nil, rules, nil, fmt.Errorf("open log: %w", err)
	}
	return ch, rules, leave, nil
}

func isLoose(r engine.Rules) bool { return r.Durability != engine.DurabilityFsync }
