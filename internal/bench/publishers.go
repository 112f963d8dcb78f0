//go:build linux

package bench

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// feedPatience is how long listeners may get nothing before what is missing counts as lost.
const feedPatience = 5 * time.Second

// publishRun is publishers at work.
type publishRun struct {
	bench *Publish
	store store
	names []string
	next  atomic.Int64 // the number of the next message
}

// publishFor publishes for d and returns how many messages were committed, and how long each took.
func (r *publishRun) publishFor(ctx context.Context, d time.Duration) (int64, *crowd.Histogram, error) {
	before := r.next.Load()
	end := time.Now().Add(d)
	all := make([]*crowd.Histogram, r.bench.Publishers)
	failures := make([]error, r.bench.Publishers)
	var publishing sync.WaitGroup
	for i := range all {
		all[i] = crowd.NewHistogram()
		publishing.Go(func() { failures[i] = r.publishUntil(ctx, end, i, all[i]) })
	}
	publishing.Wait()
	for _, h := range all[1:] {
		all[0].Add(h)
	}
	return r.next.Load() - before, all[0], errors.Join(failures...)
}

func (r *publishRun) publishUntil(ctx context.Context, end time.Time, publisher int, h *crowd.Histogram) error {
	for time.Now().Before(end) {
		n := r.next.Add(1)
		channel := r.names[int(n)%len(r.names)]
		id := strconv.Itoa(publisher) + "/" + strconv.FormatInt(n, 10)
		stamp := crowd.Stamp()
		if err := r.store.publish(ctx, channel, id, crowd.Data(r.bench.Size, stamp, uint64(n))); err != nil {
			return err
		}
		h.Record(crowd.Stamp() - stamp)
	}
	return nil
}

// awaitFeed waits until listeners have had what was committed. What is missing is an error, unless they were told so.
func (r *publishRun) awaitFeed(ctx context.Context, f figures) error {
	if r.bench.NoFeed {
		return nil
	}
	committed := r.next.Load()
	if err := r.awaitDelivered(ctx, committed); err != nil {
		return err
	}
	got := r.store.delivered()
	told, err := r.store.gaps()
	if err != nil {
		return err
	}
	f[deliveries], f[gapCount] = float64(got), float64(told)
	if told == 0 || got > committed {
		f[errorCount] += float64(abs(committed - got))
	}
	return nil
}

// awaitDelivered waits until listeners have had n publications, or get no more.
func (r *publishRun) awaitDelivered(ctx context.Context, n int64) error {
	patience := time.NewTimer(feedPatience)
	defer patience.Stop()
	for r.store.delivered() < n {
		select {
		case <-r.store.news():
			patience.Reset(feedPatience)
		case <-patience.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
