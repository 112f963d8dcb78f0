//go:build linux

package bench

import (
	"context"
	"errors"
	"sync"
	"time"
)

// traffic is a paced stream that goes on beside something else.
type traffic struct{ *stream }

// measure runs the traffic for d and sets its latency as group.
func (t *traffic) measure(ctx context.Context, d time.Duration, f figures, group string) error {
	return t.during(ctx, f, group, func() error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// during runs the traffic while do runs, and sets its latency as group.
func (t *traffic) during(ctx context.Context, f figures, group string, do func() error) error {
	if _, err := t.crowd.Tally(); err != nil { // what came before does not count
		return err
	}
	until, stop := context.WithCancelCause(ctx)
	var (
		publishing sync.WaitGroup
		sent       int64
		failure    error
	)
	publishing.Go(func() { sent, failure = t.runUntil(ctx, until) })
	err := do()
	stop(errTimeIsUp)
	publishing.Wait()
	if err := errors.Join(err, failure); err != nil {
		return err
	}
	tally, err := t.crowd.Tally()
	if err != nil {
		return err
	}
	f.setPercentiles(group, tally.Latency)
	f[errorCount] += float64(int64(tally.Errors) + abs(sent*int64(t.readers)-tally.Deliveries))
	return nil
}

func (t *traffic) close() {
	t.publisher.Close()
	t.crowd.Close()
}

func abs(n int64) int64 { return max(n, -n) }
