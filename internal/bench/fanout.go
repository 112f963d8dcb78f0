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

// Fanout publishes to one channel with many subscribers.
type Fanout struct {
	Common
	Traffic
	Subscribers int `default:"2000" help:"Clients of the channel, each on a connection of its own."`
}

// Traffic are the flags of a stream of messages.
type Traffic struct {
	Channel  string        `default:"live:bench" help:"The channel: live: keeps nothing, log: retains."`
	Size     int           `default:"128" help:"Bytes of data in a message."`
	Rate     float64       `default:"20" help:"Messages per second, paced."`
	InFlight int           `placeholder:"N" help:"In place of --rate: publish whenever fewer than N messages are under way."`
	Warmup   time.Duration `default:"1s" help:"Publish for so long before measuring."`
	Duration time.Duration `default:"10s" help:"Measure for so long."`
}

func (t *Traffic) validate() error {
	return errors.Join(
		inRange("--size", t.Size, crowd.MinDataBytes, maxDataBytes),
		inRange("--rate", t.Rate, 0.1, maxRate),
		inRange("--in-flight", t.InFlight, 0, maxRate),
		lasting("--warmup", t.Warmup, 0),
		lasting("--duration", t.Duration, 100*time.Millisecond),
	)
}

// Help is printed below the flags.
func (Fanout) Help() string {
	return `Paced, every message is a write for every subscriber. Saturated, with --in-flight, messages join in one write.`
}

// Validate is called by kong after parsing.
func (b *Fanout) Validate() error {
	return errors.Join(b.Common.Validate(), b.refuse(baselineRedis), b.validate(),
		inRange("--subscribers", b.Subscribers, 1, maxConnections))
}

// Run measures and prints the report.
func (b *Fanout) Run(ctx context.Context, stdout io.Writer) error {
	return b.runServers(ctx, "fanout", b.measure, stdout)
}

func (b *Fanout) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{connections: float64(b.Subscribers), errorCount: 0}
	c, _, err := t.gather(ctx, crowd.Order{Clients: b.Subscribers, Channel: b.Channel}, f, p)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := b.stream(ctx, t, c, b.Subscribers)
	if err != nil {
		return nil, err
	}
	defer s.publisher.Close()
	if _, err := s.run(ctx, b.Warmup); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	return f, t.measureStream(ctx, s, b.Duration, f, p)
}

// stream connects a publisher for c.
func (t *Traffic) stream(ctx context.Context, to *target, c crowd.Crowd, readers int) (*stream, error) {
	publisher, err := crowd.NewPublisher(ctx, to.url, to.dialect, t.Channel)
	if err != nil {
		return nil, err
	}
	return &stream{
		crowd: c, publisher: publisher, readers: readers, size: t.Size, rate: t.Rate, inFlight: t.InFlight,
	}, nil
}

// measureStream runs s for d and sets what it cost the server.
func (t *target) measureStream(ctx context.Context, s *stream, d time.Duration, f figures, p *progress) error {
	if _, err := s.crowd.Tally(); err != nil { // what came before does not count
		return err
	}
	before, err := t.usage()
	if err != nil {
		return err
	}
	began := crowd.Stamp()
	stop := p.watch(func() string { return fmt.Sprintf("%d deliveries", s.crowd.Delivered()) })
	sent, err := s.run(ctx, d)
	stop()
	if err != nil {
		return err
	}
	after, err := t.usage()
	if err != nil {
		return err
	}
	tally, err := s.crowd.Tally()
	if err != nil {
		return err
	}
	settle(f, tally, sent, s.readers)
	p.reasonOf(f, tally.Reason)
	if took := time.Duration(tally.Last - began); took > 0 {
		f[deliveriesRate] = float64(tally.Deliveries) / took.Seconds()
	}
	if t.pid != 0 && tally.Deliveries > 0 {
		f[cpuSeconds] = (after.cpu - before.cpu).Seconds()
		f[cpuPerMillion] = f[cpuSeconds] / float64(tally.Deliveries) * 1e6
	}
	if writes := after.writes - before.writes; writes > 0 {
		f[perWrite] = float64(tally.Deliveries) / float64(writes)
	}
	return nil
}
