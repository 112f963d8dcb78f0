//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/bench/process"
)

// Publish publishes durably over the Go API, in this process.
type Publish struct {
	Common
	Backend
	Publishers int           `default:"64" help:"Goroutines that publish, each waiting for its answer."`
	Channels   int           `default:"10000" help:"Channels that they publish to in turn."`
	Size       int           `default:"256" help:"Bytes of data in a message."`
	History    int           `default:"100" help:"Messages that a channel retains."`
	NoFeed     bool          `help:"Have nobody listen. Default: every channel has a subscriber, who must get everything."`
	Warmup     time.Duration `default:"5s" help:"Publish for so long before measuring."`
	Duration   time.Duration `default:"60s" help:"Measure for so long."`
}

// Help is printed below the flags.
func (Publish) Help() string {
	return `A publish is answered after fsync, or, with --engine, once Redis has answered. Each has an idempotency id of its own, and the channel is trimmed. Latency is that of
a publish, until its answer. CPU is that of all the bench's processes: server, publishers and listeners.

With --baseline=redis, a redis-server of the bench's own with appendfsync always does the same in one Lua call.`
}

// Validate is called by kong after parsing.
func (b *Publish) Validate() error {
	return errors.Join(b.Common.Validate(), b.validateSides(), b.validateEngine(b.URL),
		inRange("--publishers", b.Publishers, 1, 10_000),
		inRange("--channels", b.Channels, 1, maxConnections),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		inRange("--history", b.History, 1, 1_000_000),
		lasting("--warmup", b.Warmup, 0),
		lasting("--duration", b.Duration, 100*time.Millisecond))
}

func (b *Publish) validateSides() error {
	if b.Channels > channelsEach && b.Channels%channelsEach != 0 {
		return fmt.Errorf("--channels: above %d, must be a multiple of it, so that listeners can share them out", channelsEach)
	}
	if b.URL != "" {
		return errors.New("--url: this bench uses the Go API in its own process")
	}
	if b.Baseline != "" && b.Baseline != baselineRedis {
		return errors.New("--baseline: only redis is one of this bench")
	}
	return nil
}

// Run measures and prints the report.
func (b *Publish) Run(ctx context.Context, stdout io.Writer) error {
	p := &progress{w: os.Stderr, prefix: "bench publish"}
	subject := b.side("earshot", b.openLibrary, p)
	var baseline *side
	if b.Baseline == baselineRedis {
		baseline = b.side("redis, appendfsync always", b.openRedis, p)
	}
	return b.compare(ctx, p, newReport("publish", subject, baseline), subject, baseline, stdout)
}

// store is what publishers publish to.
type store interface {
	// publish returns once the message is durable.
	publish(ctx context.Context, channel, id string, data []byte) error
	// delivered returns how many publications listeners have had, and news is sent to when they have had more.
	delivered() int64
	news() <-chan struct{}
	// engineCPU returns the CPU time that the Redis of the server has used; zero if it has none, or its process is not known.
	engineCPU() (time.Duration, error)
	// gaps returns how often listeners were told that publications were left out: retention dropped them unread.
	gaps() (int, error)
	close()
}

func (b *Publish) side(name string, open func(context.Context) (store, error), p *progress) *side {
	return &side{name: name, measure: func(ctx context.Context) (figures, error) {
		s, err := open(ctx)
		if err != nil {
			return nil, err
		}
		defer s.close()
		return b.measure(ctx, s, p)
	}}
}

func (b *Publish) channel(i int) string { return crowd.ChannelName("bench:c", i, b.Channels) }

func (b *Publish) measure(ctx context.Context, s store, p *progress) (figures, error) {
	run := &publishRun{bench: b, store: s, names: make([]string, b.Channels)}
	for i := range run.names {
		run.names[i] = b.channel(i)
	}
	defer p.watch(func() string { return fmt.Sprintf("%d publishes", run.next.Load()) })()
	if _, _, err := run.publishFor(ctx, b.Warmup); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	before, err := publishUsage(s)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	count, h, err := run.publishFor(ctx, b.Duration)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	after, err := publishUsage(s)
	if err != nil {
		return nil, err
	}
	f := figures{errorCount: 0, messages: float64(count), publishesRate: float64(count) / took.Seconds()}
	f[cpuPerPublishes] = (after.all - before.all).Seconds() / float64(count) * 1e6
	if engine := after.engine - before.engine; engine > 0 {
		f[engineCPUPerPublish] = engine.Seconds() / float64(count) * 1e6
	}
	f.setPercentiles(latency, h)
	return f, run.awaitFeed(ctx, f)
}

// cpuOfPublish is the CPU time of the bench's processes, and of those the Redis.
type cpuOfPublish struct{ all, engine time.Duration }

func publishUsage(s store) (u cpuOfPublish, err error) {
	if u.all, err = process.CPU(os.Getpid()); err == nil {
		u.engine, err = s.engineCPU()
	}
	return u, err
}
