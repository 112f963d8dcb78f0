//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// drainPatience is how long deliveries may stand still before what is missing counts as lost.
const drainPatience = 10 * time.Second

// stream is messages on their way from one publisher to a crowd.
type stream struct {
	crowd     crowd.Crowd
	publisher *crowd.Publisher
	readers   int // deliveries of each message
	size      int // bytes of data
	inFlight  int // how many messages may be under way; zero: paced by rate
	rate      float64

	sent int64
}

// run publishes for d, and waits until all is delivered. It returns how many messages that were.
func (s *stream) run(ctx context.Context, d time.Duration) (sent int64, err error) {
	until, cancel := context.WithTimeoutCause(ctx, d, errTimeIsUp)
	defer cancel()
	return s.runUntil(ctx, until)
}

// runUntil is run until a context of ctx ends with errTimeIsUp.
func (s *stream) runUntil(ctx, until context.Context) (sent int64, err error) {
	before := s.sent
	if s.inFlight > 0 {
		err = s.saturate(until)
	} else {
		err = s.pace(until)
	}
	if errors.Is(err, errTimeIsUp) {
		err = s.await(ctx, s.sent*int64(s.readers))
	}
	return s.sent - before, err
}

var errTimeIsUp = errors.New("time is up")

// pace publishes at the stream's rate. What can't be sent in time is sent as soon as possible, so that the rate holds on
// average.
func (s *stream) pace(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	began := time.Now()
	for n := 0; ; n++ {
		timer.Reset(time.Until(began.Add(time.Duration(float64(n) / s.rate * float64(time.Second)))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := s.publish(); err != nil {
			return err
		}
	}
}

// saturate publishes whenever fewer messages are under way than may be.
func (s *stream) saturate(ctx context.Context) error {
	for {
		if err := s.await(ctx, (s.sent-int64(s.inFlight)+1)*int64(s.readers)); err != nil {
			return err
		}
		if err := s.publish(); err != nil {
			return err
		}
	}
}

func (s *stream) publish() error {
	s.sent++
	return s.publisher.Publish(s.size)
}

// await waits until the crowd has had so many deliveries since the stream began. It gives up without an error when they
// stand still: what is missing is counted at the end.
func (s *stream) await(ctx context.Context, deliveries int64) error {
	patience := time.NewTimer(drainPatience)
	defer patience.Stop()
	for s.crowd.Delivered() < deliveries {
		select {
		case <-s.crowd.News():
			patience.Reset(drainPatience)
		case <-patience.C:
			return s.publisher.Failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// settle counts what a measurement delivered, and what it should have and did not.
func settle(f figures, t crowd.Tally, sent int64, readers int) {
	want := sent * int64(readers)
	f[messages], f[deliveries] = float64(sent), float64(t.Deliveries)
	lost := max(want-t.Deliveries, t.Deliveries-want)
	f[errorCount] += float64(int64(t.Errors) + lost)
	f.setPercentiles(latency, t.Latency)
}

// reasonOf tells people about errors, which the figures only count.
func (p *progress) reasonOf(f figures, reasons ...string) {
	for _, reason := range reasons {
		if reason != "" {
			p.say("%v errors, the first: %s", f[errorCount], reason)
			return
		}
	}
	if f[errorCount] > 0 {
		p.say("%v deliveries are missing or too many", fmt.Sprint(f[errorCount]))
	}
}
