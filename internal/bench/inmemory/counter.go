package inmemory

import (
	"context"
	"sync/atomic"
)

// counter counts up, and tells one goroutine at a time that it has come to a number.
type counter struct {
	count, goal atomic.Int64
	there       chan struct{} // holds one value
}

func newCounter() counter { return counter{there: make(chan struct{}, 1)} }

func (c *counter) add() {
	if c.count.Add(1) == c.goal.Load() {
		select {
		case c.there <- struct{}{}:
		default:
		}
	}
}

// await waits until the count is n or more.
func (c *counter) await(ctx context.Context, n int64) error {
	c.goal.Store(n)
	for c.count.Load() < n {
		select {
		case <-c.there:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
