//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// smallChannel is the channel that is measured beside the broadcast.
const smallChannel = "live:small"

// Latency publishes to a small channel while a broadcast to many goes on beside.
type Latency struct {
	Common
	Connections   int           `default:"10000" help:"Clients of the broadcast's channel."`
	Subscribers   int           `default:"2" help:"Clients of the small channel."`
	Rate          float64       `default:"20" help:"Messages per second in the small channel."`
	BroadcastRate float64       `default:"2" help:"Messages per second in the broadcast."`
	Size          int           `default:"128" help:"Bytes of data in a message."`
	Duration      time.Duration `default:"10s" help:"Measure for so long, once without and once with the broadcast."`
}

// Help is printed below the flags.
func (Latency) Help() string {
	return `Latency is that of the small channel while the broadcast goes on, "latency before" without it. The small channel's
clients and those of the broadcast share this machine's cores with the server, unless --url names one elsewhere.`
}

// Validate is called by kong after parsing.
func (b *Latency) Validate() error {
	return errors.Join(b.Common.Validate(), b.refuse(baselineRedis, baselineRaw),
		inRange("--connections", b.Connections, 1, maxConnections),
		inRange("--subscribers", b.Subscribers, 1, maxConnections),
		inRange("--rate", b.Rate, 0.1, maxRate),
		inRange("--broadcast-rate", b.BroadcastRate, 0.1, maxRate),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		lasting("--duration", b.Duration, 100*time.Millisecond))
}

// Run measures and prints the report.
func (b *Latency) Run(ctx context.Context, stdout io.Writer) error {
	return b.runServers(ctx, "latency", b.measure, stdout)
}

func (b *Latency) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{connections: float64(b.Connections + b.Subscribers), errorCount: 0}
	small, err := b.traffic(ctx, t, smallChannel, b.Subscribers, b.Rate, f, p)
	if err != nil {
		return nil, err
	}
	defer small.close()
	broadcast, err := b.traffic(ctx, t, "live:broadcast", b.Connections, b.BroadcastRate, f, p)
	if err != nil {
		return nil, err
	}
	defer broadcast.close()
	p.say("the small channel alone")
	if err := small.measure(ctx, b.Duration, f, latencyBefore); err != nil {
		return nil, err
	}
	p.say("the small channel beside the broadcast")
	return f, b.beside(ctx, t, small, broadcast, f)
}

func (b *Latency) beside(ctx context.Context, t *target, small, broadcast *traffic, f figures) error {
	before, err := t.usage()
	if err != nil {
		return err
	}
	sent := small.sent + broadcast.sent
	err = broadcast.during(ctx, f, broadcastLatency, func() error {
		return small.measure(ctx, b.Duration, f, latency)
	})
	if err != nil {
		return err
	}
	after, err := t.usage()
	if t.pid != 0 {
		f[cpuSeconds] = (after.cpu - before.cpu).Seconds()
	}
	f[messages] = float64(small.sent + broadcast.sent - sent)
	return err
}

// traffic connects clients and a publisher for one of the two channels.
func (b *Latency) traffic(ctx context.Context, t *target, channel string, clients int, rate float64, f figures, p *progress) (*traffic, error) {
	c, _, err := t.gather(ctx, crowd.Order{Clients: clients, Channel: channel, Underway: arrivalsUnderway}, f, p)
	if err != nil {
		return nil, fmt.Errorf("clients of %s: %w", channel, err)
	}
	flags := Traffic{Channel: channel, Size: b.Size, Rate: rate}
	s, err := flags.stream(ctx, t, c, clients)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &traffic{s}, nil
}
