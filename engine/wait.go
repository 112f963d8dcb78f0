package engine

import "context"

// PublishWait publishes p and waits for the outcome. If ctx ends first, the message may be committed all the same: publish
// again with the same key to find out.
func PublishWait(ctx context.Context, log Log, p Proposal) (Receipt, error) {
	type outcome struct {
		receipt Receipt
		err     error
	}
	done := make(chan outcome, 1)
	log.Publish(ctx, p, func(r Receipt, err error) { done <- outcome{r, err} })
	select {
	case o := <-done:
		return o.receipt, o.err
	case <-ctx.Done():
		return Receipt{}, context.Cause(ctx)
	}
}
