package local

import (
	"context"
	"errors"

	"github.com/earshot/earshot/engine"
)

// errNoKey says that a message to a map names no key of it.
var errNoKey = errors.New("a message to a map must set or delete a key")

// Publish implements engine.Log. What can be done before the order is known is done here, on the caller's goroutine.
func (e *Engine) Publish(ctx context.Context, p engine.Proposal, done func(engine.Receipt, error)) {
	if err := e.propose(ctx, p, 0, done); err != nil {
		done(engine.Receipt{}, err)
	}
}

// propose queues a proposal. One of upkeep names the entry that it tends.
func (e *Engine) propose(ctx context.Context, p engine.Proposal, tends uint64, done func(engine.Receipt, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rules := e.options.Rules(p.Channel)
	l := e.laneOf(rules)
	if l != e.lanes[engine.DurabilityNone] {
		if err := e.store.health.refusal(); err != nil {
			return err
		}
	}
	q := proposal{pub: &engine.Publication{User: p.User, Sender: p.Sender, Message: p.Message}, rules: rules, done: done}
	if rules.Kind == engine.KindMap {
		if p.Map == nil {
			return errNoKey
		}
		q.change, q.tends = p.Map, tends
	}
	if p.Idem != "" {
		q.keyed, q.key, q.digest = true, hashKey(p.Channel, p.User, p.Idem), q.hash()
	}
	q.ch, l = e.table.acquireFor(p.Channel, l)
	if err := l.push(ctx, q); err != nil {
		e.table.releaseProposals([]proposal{q})
		return err
	}
	return nil
}

// laneOf returns the lane that the rules ask for.
func (e *Engine) laneOf(r engine.Rules) *lane {
	if r.Kind == engine.KindPub {
		return e.lanes[engine.DurabilityNone]
	}
	if r.Durability == engine.DurabilityFsync {
		return e.lanes[engine.DurabilityFsync]
	}
	return e.lanes[engine.DurabilityMayLoseTail]
}

// abandon refuses what is queued in a lane that will not run.
func (l *lane) abandon() {
	l.mu.Lock()
	queue := l.queue
	l.queue = nil
	l.mu.Unlock()
	for i := range queue {
		queue[i].done(engine.Receipt{}, engine.ErrClosed)
	}
}
