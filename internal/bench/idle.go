//go:build linux

package bench

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/bench/process"
)

// Idle holds connections on which nothing happens.
type Idle struct {
	Common
	Connections int           `default:"10000" help:"Clients, each with one subscription."`
	Channels    int           `default:"1" help:"Channels that they are dealt out to. As many as connections: each has its own."`
	Channel     string        `default:"live:bench" help:"The channel, or what the channels' names begin with."`
	TLS         bool          `help:"Have the bench's own server speak TLS, with a certificate that it makes up."`
	Settle      time.Duration `default:"60s" help:"How long the connections rest before memory is read."`
	Duration    time.Duration `default:"30s" help:"How long CPU is measured after that: at least a ping interval, 25 s."`
}

// Help is printed below the flags.
func (Idle) Help() string {
	return `Memory is the resident memory of the server's process after --settle, less that without a connection (after 50 clients
came and went), for each connection. No collection is forced.`
}

// Validate is called by kong after parsing.
func (b *Idle) Validate() error {
	return errors.Join(b.Common.Validate(), b.refuse(baselineRedis),
		inRange("--connections", b.Connections, 1, maxConnections),
		inRange("--channels", b.Channels, 1, b.Connections),
		lasting("--settle", b.Settle, 0),
		b.validateTLS(b.TLS),
		lasting("--duration", b.Duration, 100*time.Millisecond))
}

// Run measures and prints the report.
func (b *Idle) Run(ctx context.Context, stdout io.Writer) error {
	b.secure = b.TLS
	return b.runServers(ctx, "idle", b.measure, stdout)
}

func (b *Idle) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{connections: float64(b.Connections), errorCount: 0}
	none, err := b.memoryWithNone(ctx, t, f, p)
	if err != nil {
		return nil, err
	}
	order := crowd.Order{Clients: b.Connections, Channel: b.Channel, Channels: b.Channels, Underway: arrivalsUnderway}
	c, _, err := t.gather(ctx, order, f, p)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := p.wait(ctx, b.Settle, "resting"); err != nil {
		return nil, err
	}
	settled, err := t.memory()
	if err != nil {
		return nil, err
	}
	if err := b.measureCPU(ctx, t, f, p); err != nil {
		return nil, err
	}
	settled.per(b.Connections, none, t, f)
	tally, err := c.Tally()
	if err != nil {
		return nil, err
	}
	f[errorCount] += float64(tally.Errors)
	p.reasonOf(f, tally.Reason)
	return f, nil
}

// firstClients are those that come and go before memory is read the first time: with them the parts of the program that
// serve connections get into memory, whose size has nothing to do with how many connections there are.
const firstClients = 50

// memoryWithNone returns what the server holds without connections.
func (b *Idle) memoryWithNone(ctx context.Context, t *target, f figures, p *progress) (memory, error) {
	c, _, err := t.gather(ctx, crowd.Order{Clients: firstClients, Channel: b.Channel}, f, p)
	if err != nil {
		return memory{}, err
	}
	c.Close()
	if err := p.wait(ctx, time.Second, "waiting for the first clients to be gone"); err != nil {
		return memory{}, err
	}
	return t.memory()
}

// measureCPU measures what the server uses while nothing happens.
func (b *Idle) measureCPU(ctx context.Context, t *target, f figures, p *progress) error {
	before, err := t.usage()
	if err != nil {
		return err
	}
	if err := p.wait(ctx, b.Duration, "measuring"); err != nil {
		return err
	}
	after, err := t.usage()
	if err == nil && t.pid != 0 {
		f[cpuPercentIdle] = 100 * (after.cpu - before.cpu).Seconds() / after.at.Sub(before.at).Seconds()
	}
	return err
}

// memory is what a server holds, and the kernel for all sockets of the machine.
type memory struct{ resident, kernel int64 }

func (t *target) memory() (m memory, err error) {
	m.kernel = process.KernelBytes()
	if t.pid != 0 {
		m.resident, err = process.ResidentBytes(t.pid)
	}
	return m, err
}

// per sets what each of n connections adds to what there was with none.
func (m memory) per(n int, none memory, t *target, f figures) {
	f[kernelPerConn] = float64(m.kernel-none.kernel) / float64(n)
	if t.pid != 0 {
		f[rssPerConnection] = float64(m.resident-none.resident) / float64(n)
		f[rssWithNone] = float64(none.resident)
	}
}
