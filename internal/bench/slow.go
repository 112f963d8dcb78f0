//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// Slow measures what one reader that stops reading does to the others of its channel.
type Slow struct {
	Common
	Subscribers int           `default:"1000" help:"Clients of the channel, with the one that is stuck."`
	Channel     string        `default:"live:bench" help:"The channel: live: keeps nothing, log: retains."`
	Size        int           `default:"1024" help:"Bytes of data in a message."`
	Rate        float64       `default:"50" help:"Messages per second."`
	Warmup      time.Duration `default:"2s" help:"Publish for so long before measuring: enough to fill the stuck reader's buffers."`
	Duration    time.Duration `default:"10s" help:"Measure for so long. The server cuts off a stuck reader after 30 s."`
}

// Help is printed below the flags.
func (Slow) Help() string {
	return `Without --baseline, it is compared with the same server and no stuck reader. Figures are those of the other readers;
afterwards the stuck one reads on, and what it gets then is reported as well.`
}

// Validate is called by kong after parsing.
func (b *Slow) Validate() error {
	return errors.Join(b.Common.Validate(), b.refuse(baselineRedis, baselineRaw), b.traffic().validate(),
		inRange("--subscribers", b.Subscribers, 2, maxConnections))
}

// Run measures and prints the report.
func (b *Slow) Run(ctx context.Context, stdout io.Writer) error {
	if b.Baseline != "" {
		return b.runServers(ctx, "slow", b.withStuck(1), stdout)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(loadThreads, runtime.NumCPU())))
	p := &progress{w: os.Stderr, prefix: "bench slow"}
	with := b.serverSide("one stuck", b.openEarshot, b.withStuck(1), p)
	without := b.serverSide("none stuck", b.openEarshot, b.withStuck(0), p)
	return b.compare(ctx, p, newReport("slow", with, without), with, without, stdout)
}

func (b *Slow) traffic() *Traffic {
	return &Traffic{Channel: b.Channel, Size: b.Size, Rate: b.Rate, Warmup: b.Warmup, Duration: b.Duration}
}

// withStuck returns the measurement with so many stuck readers.
func (b *Slow) withStuck(stuck int) serverBench {
	return func(ctx context.Context, t *target, p *progress) (figures, error) {
		f := figures{connections: float64(b.Subscribers), errorCount: 0}
		c, _, err := t.gather(ctx, crowd.Order{
			Clients: b.Subscribers, Channel: b.Channel, Stuck: stuck, Underway: arrivalsUnderway,
		}, f, p)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		s, err := b.traffic().stream(ctx, t, c, b.Subscribers-stuck)
		if err != nil {
			return nil, err
		}
		defer s.publisher.Close()
		if _, err := s.run(ctx, b.Warmup); err != nil {
			return nil, fmt.Errorf("warm up: %w", err)
		}
		if err := t.measureStream(ctx, s, b.Duration, f, p); err != nil || stuck == 0 {
			return f, err
		}
		return f, readOn(ctx, c, f)
	}
}

// readOnFor is how long a stuck reader may take for what it has missed.
const readOnFor = time.Second

// readOn lets the stuck reader go on, and counts what it gets.
func readOn(ctx context.Context, c crowd.Crowd, f figures) error {
	before, err := c.Tally()
	if err != nil {
		return err
	}
	if before.ToStuck > 0 {
		return errors.New("the stuck reader has read, so it was not stuck")
	}
	if err := c.Unstick(); err != nil {
		return err
	}
	timer := time.NewTimer(readOnFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	after, err := c.Tally()
	f[toStuck] = float64(after.ToStuck)
	f[errorCount] += float64(after.Errors)
	return err
}
