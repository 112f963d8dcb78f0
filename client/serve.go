package client

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/earshot/earshot/wire"
)

// serve works on an open connection until it ends, and returns why.
func (c *Client) serve(l *link) error {
	c.takeUp(l)
	l.tasks.Go(func() { c.write(l) })
	l.tasks.Go(func() { c.watch(l) })
	l.tasks.Go(func() { c.renew(l) })
	err := c.receive(l)
	if l.ctx.Err() != nil {
		err = context.Cause(l.ctx)
	}
	l.cancel(err)
	l.conn.drop()
	c.putDown(l)
	l.tasks.Wait()
	return err
}

// takeUp makes l the connection that calls and subscriptions use, and asks again for what was subscribed.
func (c *Client) takeUp(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resume = l.welcome.Resume
	if c.over != nil {
		return
	}
	c.link = l
	bySeq := func(a, b *Subscription) int { return cmp.Compare(a.seq, b.seq) }
	for _, s := range slices.SortedFunc(maps.Values(c.subs), bySeq) {
		if !s.behind {
			s.joinLocked(l)
		}
	}
	c.dropUnrepeatableLocked(l)
	c.sayAgainLocked(l)
	l.poke()
}

// putDown takes back what l did not finish. Its calls are sent again before all others, in their order.
func (c *Client) putDown(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l {
		return
	}
	c.link = nil
	var again []*call
	for _, call := range l.calls {
		if call.abandoned {
			c.releaseLocked(call)
			continue
		}
		again = append(again, call)
	}
	slices.SortFunc(again, func(a, b *call) int { return cmp.Compare(a.seq, b.seq) })
	c.unsent = append(again, c.unsent...)
	for _, s := range c.subs {
		s.phase = phaseOut
	}
}

// write sends what there is to say, as fast as the connection takes it.
func (c *Client) write(l *link) {
	var frame []byte
	for {
		f, ok := c.nextFrame(l)
		if !ok {
			select {
			case <-l.wake:
				continue
			case <-l.ctx.Done():
				return
			}
		}
		frame = wire.JSON.AppendClientFrame(frame[:0], f)
		if err := l.conn.send(l.ctx, frame); err != nil {
			l.cancel(fmt.Errorf("write: %w", err))
			return
		}
	}
}

// nextFrame takes the next frame to send: control frames first, then calls in order.
func (c *Client) nextFrame(l *link) (wire.ClientFrame, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(l.control) > 0 {
		f := l.control[0]
		l.control = slices.Delete(l.control, 0, 1)
		return f, true
	}
	if c.link != l {
		return wire.ClientFrame{}, false
	}
	call := c.takeUnsentLocked()
	if call == nil {
		return wire.ClientFrame{}, false
	}
	id := l.nextIDLocked()
	l.calls[id] = call
	return wire.ClientFrame{ID: id, Body: call.body}, true
}

// watch ends a connection on which nothing comes, after asking once, and closes it politely when the client ends.
func (c *Client) watch(l *link) {
	interval := l.welcome.Heartbeat
	if interval <= 0 {
		interval = c.opts.Heartbeat
	}
	// Asking before the grace is half over leaves the answer the other half.
	ask, limit := interval+c.opts.Grace/2, interval+c.opts.Grace
	timer := time.NewTimer(ask)
	defer timer.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-c.life.Done():
			l.conn.close()
			return
		case <-timer.C:
		}
		silence := l.silence()
		switch {
		case silence >= limit:
			l.cancel(errSilent)
			return
		case silence >= ask:
			c.send(l, wire.Ping{})
			timer.Reset(limit - silence)
		default:
			timer.Reset(ask - silence)
		}
	}
}

// send queues a frame that no call of the application waits for.
func (c *Client) send(l *link, body wire.ClientBody) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := wire.ClientFrame{Body: body}
	switch body.(type) {
	case wire.Ping, wire.Refresh:
		f.ID = l.nextIDLocked() // without an id it would not be answered
	}
	l.sendLocked(f)
}
