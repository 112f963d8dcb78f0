//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/wire"
)

// Presence has members of a channel with many come and go.
type Presence struct {
	Common
	Backend
	Members  int           `default:"10000" help:"Sessions that are in the channel at most, each with a connection."`
	Watchers int           `default:"2" help:"Other sessions, which watch who is there."`
	AllWatch bool          `help:"Have the members watch, all but those who come and go, in place of others."`
	Changes  int           `default:"500" help:"Of the members, so many come while it is measured, and then go."`
	Rate     float64       `default:"50" help:"Of them come, and then go, in a second."`
	Singles  int           `default:"20" help:"Of them come and go after that, one at a time."`
	Channel  string        `default:"live:bench" help:"The channel."`
	Size     int           `default:"64" help:"Bytes of a member's state."`
	Settle   time.Duration `default:"10s" help:"How long CPU is measured before, while nobody comes or goes. It is taken off."`
}

// Help is printed below the flags.
func (Presence) Help() string {
	return `CPU and bytes are those of --changes joins and leaves at --rate; bytes are those that a watcher gets, all counted. How long it
takes until every watcher knows is timed with --singles, from asking until the last watcher has it. Changes gather for 250 ms before
watchers are told. Watchers begin where the channel is, so that they are not told of all members first.`
}

// Validate is called by kong after parsing.
func (b *Presence) Validate() error {
	return errors.Join(b.Common.Validate(), b.validateEngine(b.URL), b.validateWatchers(),
		inRange("--members", b.Members, 1, maxConnections),
		inRange("--watchers", b.Watchers, 1, maxConnections),
		inRange("--changes", b.Changes, 1, min(b.Members, maxChanges)),
		inRange("--rate", b.Rate, 0.1, maxRate),
		inRange("--singles", b.Singles, 1, b.Changes),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		lasting("--settle", b.Settle, 100*time.Millisecond))
}

// maxChanges bounds the clients in this process.
const maxChanges = 5000

func (b *Presence) validateWatchers() error {
	switch {
	case b.Baseline != "":
		return errors.New("--baseline: this bench has none")
	case b.AllWatch && b.Members == b.Changes:
		return errors.New("--all-watch: all members come and go, so that none is left to watch")
	}
	return nil
}

// Run measures and prints the report.
func (b *Presence) Run(ctx context.Context, stdout io.Writer) error {
	b.backend = &b.Backend
	return b.runServers(ctx, "presence", b.measure, stdout)
}

// joining and watching are what members and watchers say.
func joining() crowd.Dialect {
	d := watching()
	d.Subscribe, d.Ready = []string{`{"id":1,"join":{"ch":"{channel}","data":{"name":"member"}}}`}, `"published":`
	return d
}

func watching() crowd.Dialect {
	d := crowd.Resuming()
	d.Unmarked = `"gone":true`
	return d
}

func (b *Presence) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{errorCount: 0, memberCount: float64(b.Members)}
	staying, err := b.gatherMembers(ctx, t, f, p)
	if err != nil {
		return nil, err
	}
	defer staying.Close()
	run := &presenceRun{bench: b, target: t, progress: p, found: f}
	defer run.close()
	if err := run.connect(ctx); err != nil {
		return nil, err
	}
	watch := run.watch
	if b.AllWatch {
		run.watchers, watch = staying, run.haveMembersWatch
	}
	for _, step := range []func(context.Context) error{watch, run.rest, run.join, run.leave, run.oneByOne} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return f, run.settle()
}

// gatherMembers connects those members that stay, and sets what it takes that they come.
func (b *Presence) gatherMembers(ctx context.Context, t *target, f figures, p *progress) (crowd.Crowd, error) {
	staying := b.Members - b.Changes
	c, err := t.prepare(crowd.Order{
		Dialect: joining(), Clients: staying, Channel: b.Channel, Unordered: true, Underway: arrivalsUnderway,
	})
	if err != nil || staying == 0 {
		return c, err
	}
	s, err := t.storm(ctx, c, staying, f, p)
	if err != nil {
		c.Close()
		return nil, err
	}
	s.set(f, t)
	f[connections] = float64(s.arrivals.Arrived)
	return c, nil
}

// top returns where the channel's presence is.
func (b *Presence) top(ctx context.Context, c *client.Client) (string, error) {
	page, err := c.History(ctx, wire.PresenceMap(b.Channel), client.HistoryOptions{Limit: 1})
	if err != nil {
		return "", fmt.Errorf("ask where the presence is: %w", err)
	}
	return page.Position, nil
}
