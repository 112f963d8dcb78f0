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

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/bench/inmemory"
	"github.com/earshot/earshot/wire"
)

// sessionsPatience bounds each wait of the bench.
const sessionsPatience = 5 * time.Minute

// Sessions holds very many sessions over connections in memory, and broadcasts to all of them.
type Sessions struct {
	Sessions   int           `default:"1000000" help:"Sessions, each with a connection and one subscription."`
	Channels   int           `default:"1" help:"Channels that they are dealt out to. As many as sessions: each has its own."`
	Broadcasts int           `default:"10" help:"Messages to all of them (one in each channel), one after the other."`
	Size       int           `default:"128" help:"Bytes of data in a message."`
	Settle     time.Duration `default:"5s" help:"How long they rest before memory is read."`
	Duration   time.Duration `default:"26s" help:"How long CPU is measured while nothing happens: at least a ping interval, 25 s."`
	JSON       bool          `help:"Print one JSON object instead of a table."`
}

// Help is printed below the flags.
func (Sessions) Help() string {
	return fmt.Sprintf(`Everything is as over TCP (handshake, framing, pings, flush workers, a goroutine that reads for each connection), but there is
no socket, and no process but this one: memory and CPU are those of all of it. Each connection takes %d bytes itself and,
as over TLS, a read buffer of 1 KB, which over TCP there is not. Memory is read after a collection, as the program does one when it
is quiet.`, inmemory.ConnBytes)
}

// Validate is called by kong after parsing.
func (b *Sessions) Validate() error {
	return errors.Join(
		inRange("--sessions", b.Sessions, 1, 10*maxConnections),
		inRange("--channels", b.Channels, 1, b.Sessions),
		inRange("--broadcasts", b.Broadcasts, 1, 1000),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		lasting("--settle", b.Settle, 0),
		lasting("--duration", b.Duration, 100*time.Millisecond))
}

// Run measures and prints the report.
func (b *Sessions) Run(ctx context.Context, stdout io.Writer) error {
	p := &progress{w: os.Stderr, prefix: "bench sessions"}
	subject := &side{name: "earshot", measure: func(ctx context.Context) (figures, error) { return b.measure(ctx, p) }}
	common := &Common{JSON: b.JSON}
	return common.compare(ctx, p, newReport("sessions", subject, nil), subject, nil, stdout)
}

func (b *Sessions) measure(ctx context.Context, p *progress) (figures, error) {
	l, err := new(Common).openQuietLibrary(ctx, nil, earshot.Namespace{Subscribe: earshot.Anyone})
	if err != nil {
		return nil, err
	}
	defer l.close()
	c, err := inmemory.New(l.server, func(client int) string { return b.channel(client % b.Channels) })
	if err != nil {
		return nil, err
	}
	defer c.Close()
	run := &sessionsRun{bench: b, library: l, crowd: c, progress: p, found: figures{errorCount: 0}}
	for _, step := range []func(context.Context) error{run.gather, run.rest, run.idle, run.broadcast, run.collect} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return run.found, nil
}

// channel returns the name of a channel. It keeps nothing, so that what is measured is sessions.
func (b *Sessions) channel(i int) string { return crowd.ChannelName("bench:c", i, b.Channels) }

// sessionsRun is one measurement.
type sessionsRun struct {
	bench    *Sessions
	library  *library
	crowd    *inmemory.Crowd
	progress *progress
	found    figures
	none     footprint // with a few sessions
}

// gather connects a few sessions, so that the parts of the program which serve them are in memory, and then all others.
func (r *sessionsRun) gather(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sessionsPatience)
	defer cancel()
	few := min(firstClients, r.bench.Sessions)
	if err := r.crowd.Grow(ctx, few); err != nil {
		return err
	}
	if r.none, err = readFootprint(); err != nil {
		return err
	}
	stop := r.progress.watch(func() string { return fmt.Sprintf("%d of %d sessions", r.crowd.Arrived(), r.bench.Sessions) })
	defer stop()
	used, err := ownCPU(func() error { return r.crowd.Grow(ctx, r.bench.Sessions-few) })
	if err != nil {
		return err
	}
	r.found[connections] = float64(r.bench.Sessions)
	r.found[arrivalSeconds] = used.took.Seconds()
	if more := r.bench.Sessions - few; more > 0 {
		r.found[cpuPerConnection] = float64(used.cpu.Microseconds()) / float64(more)
	}
	return nil
}

// rest waits, and measures memory.
func (r *sessionsRun) rest(ctx context.Context) error {
	if err := r.progress.wait(ctx, r.bench.Settle, "resting"); err != nil {
		return err
	}
	all, err := readFootprint()
	if more := r.bench.Sessions - firstClients; err == nil && more > 0 {
		all.per(more, r.none, r.found)
	}
	return err
}

// idle measures what sessions cost to which nothing happens but pings.
func (r *sessionsRun) idle(ctx context.Context) error {
	used, err := ownCPU(func() error { return r.progress.wait(ctx, r.bench.Duration, "measuring") })
	r.found[cpuPercentIdle] = 100 * used.cpu.Seconds() / used.took.Seconds()
	return err
}

// broadcast publishes to all, and waits each time until all have it.
func (r *sessionsRun) broadcast(ctx context.Context) error {
	var seconds []float64
	before := readCollector()
	total, err := ownCPU(func() error {
		for i := range r.bench.Broadcasts {
			one, err := ownCPU(func() error { return r.publish(ctx, i+1) })
			if err != nil {
				return err
			}
			seconds = append(seconds, one.took.Seconds())
		}
		return nil
	})
	if err != nil {
		return err
	}
	count := float64(r.bench.Broadcasts * r.bench.Sessions)
	r.found[messages], r.found[deliveries] = float64(r.bench.Broadcasts), count
	r.found[broadcastSeconds] = middle(seconds)
	r.found[deliveriesRate] = count / total.took.Seconds()
	r.found[cpuPerMillion] = total.cpu.Seconds() / count * 1e6
	r.found[collections] = float64(readCollector().cycles - before.cycles)
	return nil
}

// publish sends the i-th message of each channel and waits until all sessions have it.
func (r *sessionsRun) publish(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, sessionsPatience)
	defer cancel()
	m := earshot.Message{Message: wire.Message{Data: wire.JSONData(crowd.Data(r.bench.Size, crowd.Stamp(), uint64(i)))}}
	for n := range r.bench.Channels {
		if _, err := r.library.server.Publish(ctx, r.bench.channel(n), m); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	return r.crowd.AwaitDeliveries(ctx, int64(i*r.bench.Sessions))
}

// collect measures one collection of the heap.
func (r *sessionsRun) collect(context.Context) error {
	before := readCollector()
	runtime.GC()
	after := readCollector()
	r.found[collectionCPU] = after.cpuSeconds - before.cpuSeconds
	r.found[collectionPause] = after.longestPause.Seconds() * 1e3
	return nil
}
