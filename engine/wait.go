package engine

import (
	"context"
	"sync"
)

// outcome is what a publish came to.
type outcome struct {
	receipt Receipt
	err     error
}

// outcomes are channels of one place that nobody will send to any more.
var outcomes = sync.Pool{New: func() any { return make(chan outcome, 1) }}

// PublishWait publishes p and waits for the outcome. If ctx ends first, the message may be committed all the same: publish
// again with the same key to find out.
func PublishWait(ctx context.Context, log Log, p Proposal) (Receipt, error) {
	done := outcomes.Get().(chan outcome)
	log.Publish(ctx, p, func(r Receipt, err error) { done <- outcome{r, err} })
	select {
	case o := <-done:
		outcomes.Put(done)
		return o.receipt, o.err
	case <-ctx.Done():
		return Receipt{}, context.Cause(ctx)
	}
}
