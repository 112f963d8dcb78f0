//go:build linux

package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// arrivePatience is how long a crowd may take to connect and subscribe.
const arrivePatience = 2 * time.Minute

// gather connects a crowd to the target and waits until all are there. The caller closes it. Those that failed are counted
// in f.
func (t *target) gather(ctx context.Context, o crowd.Order, f figures, p *progress) (crowd.Crowd, crowd.Arrivals, error) {
	c, err := t.prepare(o)
	if err != nil {
		return nil, crowd.Arrivals{}, err
	}
	a, err := arrive(ctx, c, o.Clients, f, p)
	if err != nil {
		c.Close()
		return nil, a, err
	}
	return c, a, nil
}

// prepare makes a crowd of the target's clients that is not connected yet. They say what is usual, if the order does not name
// a dialect.
func (t *target) prepare(o crowd.Order) (crowd.Crowd, error) {
	o.URL = t.url
	if len(o.Dialect.Subscribe) == 0 {
		o.Dialect = t.dialect
	}
	c, err := crowd.New(o, loadProcess)
	if err != nil {
		return nil, fmt.Errorf("prepare %d clients: %w", o.Clients, err)
	}
	return c, nil
}

// arrive has a crowd connect.
func arrive(ctx context.Context, c crowd.Crowd, clients int, f figures, p *progress) (crowd.Arrivals, error) {
	within, cancel := context.WithTimeout(ctx, arrivePatience)
	defer cancel()
	stop := p.watch(func() string { return fmt.Sprintf("%d of %d clients are there", c.Arrived(), clients) })
	a, err := c.Arrive(within)
	stop()
	if err != nil {
		return a, fmt.Errorf("connect %d clients: %w", clients, err)
	}
	if ctx.Err() != nil {
		return a, context.Cause(ctx)
	}
	f[errorCount] += float64(a.Failed)
	if a.Failed > 0 {
		p.say("%d of %d clients failed, the first because: %s", a.Failed, clients, a.Reason)
	}
	if a.Arrived == 0 {
		return a, fmt.Errorf("no client got to its subscription: %s", a.Reason)
	}
	return a, nil
}

// wait lets d pass.
func (p *progress) wait(ctx context.Context, d time.Duration, what string) error {
	began := time.Now()
	defer p.watch(func() string {
		return fmt.Sprintf("%s: %.0f of %.0f s", what, time.Since(began).Seconds(), d.Seconds())
	})()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
