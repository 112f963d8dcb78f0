package client

import (
	"context"
	"time"
)

// run keeps the client connected until it is closed or told not to come back.
func (c *Client) run() {
	defer close(c.done)
	defer c.kill()
	defer c.end()
	r := returning{tries: backoff{base: c.opts.BackoffBase, max: c.opts.BackoffMax}, tokens: c.opts.Token != nil}
	for {
		served, err := c.visit()
		if c.life.Err() != nil {
			c.finish(ErrClosed)
			return
		}
		wait, ok := r.after(served, err)
		if !ok {
			c.finish(err)
			return
		}
		c.log.Info("not connected", "err", err, "attempt", r.tries.attempt, "wait", wait)
		c.changeState(func(s *State) { s.Phase, s.Attempt, s.Resumed, s.Err = PhaseConnecting, r.tries.attempt, false, err })
		_ = sleep(c.life, wait) // visit notices the end of life
	}
}

// visit connects once and serves the connection to its end. It returns how long it had a session, zero for never, and
// why that is over.
func (c *Client) visit() (served time.Duration, err error) {
	if err := c.life.Err(); err != nil {
		return 0, err
	}
	l, err := c.dial()
	if err != nil {
		return 0, err
	}
	opened := time.Now()
	c.log.Debug("connected", "session", l.welcome.Session, "resumed", l.welcome.Resumed)
	c.changeState(func(s *State) {
		s.Phase, s.Session, s.User, s.Resumed, s.Err = PhaseOpen, l.welcome.Session, l.welcome.User, l.welcome.Resumed, nil
	})
	err = c.serve(l)
	return max(time.Since(opened), 1), err
}

// finish ends the client for good because of err.
func (c *Client) finish(err error) {
	c.shut(err)
	c.changeState(func(s *State) { s.Phase, s.Resumed, s.Err = PhaseClosed, false, err })
}

// sleep waits for d or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
