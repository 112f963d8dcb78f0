//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/wire"
)

// Recover cuts off many clients, publishes, and has them all come back at once.
type Recover struct {
	Common
	Backend
	Connections int    `default:"10000" help:"Clients, each with one subscription."`
	Channels    int    `default:"1" help:"Channels that they are dealt out to."`
	Channel     string `default:"log:bench" help:"The channel, or what the channels' names begin with. It must retain."`
	Missed      int    `default:"20" help:"Messages in each channel that its clients have missed."`
	Size        int    `default:"128" help:"Bytes of data in a message."`
	InFlight    int    `placeholder:"N" help:"How many may be on their way at once. Default: all."`
	Restart     bool   `help:"Kill the server and start it again before they come back, so that everything is read from disk."`
}

// Help is printed below the flags.
func (Recover) Help() string {
	return `A client has recovered when it has got exactly the messages that it had missed, in order. The latency of a connection is
from its first attempt to its last missed message.`
}

// Validate is called by kong after parsing.
func (b *Recover) Validate() error {
	return errors.Join(b.Common.Validate(),
		inRange("--connections", b.Connections, 1, maxConnections),
		inRange("--channels", b.Channels, 1, b.Connections),
		inRange("--missed", b.Missed, 1, 1000),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		inRange("--in-flight", b.InFlight, 0, maxConnections),
		b.validateSides(), b.validateEngine(b.URL))
}

func (b *Recover) validateSides() error {
	if b.Baseline != "" {
		return errors.New("--baseline: this bench has none, because other servers have no positions of Earshot's kind")
	}
	if b.Restart && b.URL != "" {
		return errors.New("--restart: only with a server of the bench's own")
	}
	return nil
}

// Run measures and prints the report.
func (b *Recover) Run(ctx context.Context, stdout io.Writer) error {
	b.backend = &b.Backend
	return b.runServers(ctx, "recover", b.measure, stdout)
}

func (b *Recover) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{connections: float64(b.Connections), errorCount: 0}
	since, err := b.begin(ctx, t, f, p)
	if err != nil {
		return nil, err
	}
	if b.Restart {
		p.say("killing the server and starting it again")
		if err := t.restart(ctx); err != nil {
			return nil, err
		}
	}
	c, err := t.prepare(crowd.Order{
		Dialect: crowd.Resuming(), Clients: b.Connections, Channel: b.Channel, Channels: b.Channels,
		Since: since, Expect: b.Missed, Underway: b.InFlight,
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := t.storm(ctx, c, b.Connections, f, p)
	if err != nil {
		return nil, err
	}
	tally, err := c.Tally()
	if err != nil {
		return nil, err
	}
	s.setRecovery(f, tally, t)
	p.reasonOf(f, s.arrivals.Reason, tally.Reason)
	return f, nil
}

// begin connects the clients, cuts them off, publishes what they miss, and returns where each channel was before.
func (b *Recover) begin(ctx context.Context, t *target, f figures, p *progress) (since []string, err error) {
	c, _, err := t.gather(ctx, crowd.Order{
		Clients: b.Connections, Channel: b.Channel, Channels: b.Channels, Underway: arrivalsUnderway,
	}, f, p)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := newMisser(ctx, t.url, b)
	if err != nil {
		return nil, err
	}
	defer m.close()
	if since, err = m.publishAll(ctx, 1); err != nil {
		return nil, fmt.Errorf("publish before the cut: %w", err)
	}
	p.say("cutting %d clients off, and publishing %d messages in each of %d channels", b.Connections, b.Missed, b.Channels)
	c.Close()
	if _, err := m.publishAll(ctx, b.Missed); err != nil {
		return nil, fmt.Errorf("publish what is missed: %w", err)
	}
	return since, nil
}

func (s storm) setRecovery(f figures, tally crowd.Tally, t *target) {
	f[recovered], f[recoverSeconds] = float64(s.arrivals.Arrived), s.arrivals.Took.Seconds()
	f[deliveries] = float64(tally.Deliveries)
	f[errorCount] += float64(tally.Errors)
	f.setPercentiles(arrivalLatency, s.arrivals.Each)
	if s.arrivals.Took > 0 {
		f[deliveriesRate] = float64(tally.Deliveries) / s.arrivals.Took.Seconds()
		f[recoverRate] = float64(s.arrivals.Arrived) / s.arrivals.Took.Seconds()
	}
	if t.pid != 0 && s.arrivals.Arrived > 0 {
		f[cpuSeconds] = s.cpu.Seconds()
		f[cpuPerConnection] = float64(s.cpu.Microseconds()) / float64(s.arrivals.Arrived)
		f[cpuPerMillion] = s.cpu.Seconds() / float64(tally.Deliveries) * 1e6
	}
	if s.engine > 0 {
		f[engineCPUSeconds] = s.engine.Seconds()
	}
}

// missers is from how many goroutines channels are published to.
const missers = 32

// misser publishes what clients miss.
type misser struct {
	*client.Client
	bench *Recover
	seqs  []uint64 // by channel
}

// newMisser connects to the server at url. It works until ctx ends.
func newMisser(ctx context.Context, url string, b *Recover) (*misser, error) {
	c, err := client.Connect(ctx, baseURL(url), client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connect a publisher: %w", err)
	}
	return &misser{Client: c, bench: b, seqs: make([]uint64, b.Channels)}, nil
}

func (m *misser) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = m.Close(ctx) // all that was published was answered
}

// publishAll publishes n messages in each channel and returns the position of the last in each.
func (m *misser) publishAll(ctx context.Context, n int) ([]string, error) {
	positions := make([]string, len(m.seqs))
	failures := make([]error, missers)
	var publishing sync.WaitGroup
	for w := range missers {
		publishing.Go(func() {
			for i := w; i < len(m.seqs) && failures[w] == nil; i += missers {
				positions[i], failures[w] = m.publish(ctx, i, n)
			}
		})
	}
	publishing.Wait()
	return positions, errors.Join(failures...)
}

func (m *misser) publish(ctx context.Context, i, n int) (position string, err error) {
	name := crowd.ChannelName(m.bench.Channel, i, m.bench.Channels)
	for range n {
		m.seqs[i]++
		data := crowd.Data(m.bench.Size, crowd.Stamp(), m.seqs[i])
		r, err := m.Publish(ctx, name, client.Message{Data: wire.JSONData(data)}, client.PublishOptions{})
		if err != nil {
			return "", err
		}
		position = r.Position
	}
	return position, nil
}
