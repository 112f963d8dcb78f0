//go:build linux

package bench

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// arrivalsUnderway is how many clients are on their way at once where it is not what is measured: less than a listener's
// queue holds (net.core.somaxconn is 4,096), so that no handshake of TCP waits a second to be repeated.
const arrivalsUnderway = 512

// The traffic that goes on while clients connect.
const (
	liveClients = 10
	liveRate    = 50
	liveChannel = "live:beside"
)

// Connect has clients connect as fast as they can, beside live traffic.
type Connect struct {
	Common
	Connections int           `default:"10000" help:"Clients that connect, each with one subscription."`
	InFlight    int           `placeholder:"N" default:"512" help:"How many may be on their way at once; 0: all. Beyond net.core.somaxconn TCP repeats handshakes after a second."`
	Channels    int           `default:"1" help:"Channels that they are dealt out to."`
	Channel     string        `default:"live:bench" help:"The channel, or what the channels' names begin with."`
	TLS         bool          `help:"Have the bench's own server speak TLS, with a certificate that it makes up."`
	Duration    time.Duration `default:"5s" help:"How long live traffic is measured before."`
}

// Help is printed below the flags.
func (Connect) Help() string {
	return `Meanwhile 10 clients of another channel get 50 messages a second: latency is theirs while the others connect, and
"latency before" without them. The bare server knows no channels, so with it there is no such traffic.`
}

// Validate is called by kong after parsing.
func (b *Connect) Validate() error {
	return errors.Join(b.Common.Validate(), b.refuse(baselineRedis),
		inRange("--connections", b.Connections, 1, maxConnections),
		inRange("--in-flight", b.InFlight, 0, maxConnections),
		inRange("--channels", b.Channels, 1, b.Connections),
		b.validateTLS(b.TLS),
		lasting("--duration", b.Duration, 100*time.Millisecond))
}

// Run measures and prints the report.
func (b *Connect) Run(ctx context.Context, stdout io.Writer) error {
	b.secure = b.TLS
	return b.runServers(ctx, "connect", b.measure, stdout)
}

func (b *Connect) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{connections: float64(b.Connections), errorCount: 0}
	c, err := t.prepare(crowd.Order{
		Clients: b.Connections, Channel: b.Channel, Channels: b.Channels, Underway: b.InFlight,
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var storm storm
	if t.channels {
		storm, err = b.besideTraffic(ctx, t, c, f, p)
	} else {
		storm, err = t.storm(ctx, c, b.Connections, f, p)
	}
	if err != nil {
		return nil, err
	}
	storm.set(f, t)
	return f, nil
}

// storm is what it took until all were subscribed.
type storm struct {
	arrivals crowd.Arrivals
	cpu      time.Duration
	engine   time.Duration // CPU of the Redis that the server keeps its data in
	took     time.Duration
}

// storm has the clients connect.
func (t *target) storm(ctx context.Context, c crowd.Crowd, clients int, f figures, p *progress) (storm, error) {
	before, err := t.usage()
	if err != nil {
		return storm{}, err
	}
	a, err := arrive(ctx, c, clients, f, p)
	if err != nil {
		return storm{}, err
	}
	after, err := t.usage()
	return storm{arrivals: a, cpu: after.cpu - before.cpu, engine: after.engine - before.engine, took: after.at.Sub(before.at)}, err
}

func (s storm) set(f figures, t *target) {
	a := s.arrivals
	f[arrivalSeconds] = a.Took.Seconds()
	if a.Took > 0 {
		f[arrivalRate] = float64(a.Arrived) / a.Took.Seconds()
	}
	f.setPercentiles(arrivalLatency, a.Each)
	if t.pid != 0 && a.Arrived > 0 {
		f[cpuPerConnection] = float64(s.cpu.Microseconds()) / float64(a.Arrived)
	}
}

// besideTraffic has the clients connect while others get messages. The CPU that the messages take, as measured before, is
// taken off.
func (b *Connect) besideTraffic(ctx context.Context, t *target, c crowd.Crowd, f figures, p *progress) (storm, error) {
	live, err := b.liveTraffic(ctx, t, f, p)
	if err != nil {
		return storm{}, err
	}
	defer live.close()
	before, err := t.usage()
	if err != nil {
		return storm{}, err
	}
	if err := live.measure(ctx, b.Duration, f, latencyBefore); err != nil {
		return storm{}, err
	}
	quiet, err := t.usage()
	if err != nil {
		return storm{}, err
	}
	var s storm
	err = live.during(ctx, f, latency, func() (err error) {
		s, err = t.storm(ctx, c, b.Connections, f, p)
		return err
	})
	perSecond := float64(quiet.cpu-before.cpu) / quiet.at.Sub(before.at).Seconds()
	s.cpu -= time.Duration(perSecond * s.took.Seconds())
	return s, err
}

func (b *Connect) liveTraffic(ctx context.Context, t *target, f figures, p *progress) (*traffic, error) {
	c, _, err := t.gather(ctx, crowd.Order{Clients: liveClients, Channel: liveChannel}, f, p)
	if err != nil {
		return nil, err
	}
	flags := Traffic{Channel: liveChannel, Size: 128, Rate: liveRate}
	s, err := flags.stream(ctx, t, c, liveClients)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &traffic{s}, nil
}
