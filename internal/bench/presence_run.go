//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/wire"
)

// presenceRun is one measurement, after the members that stay have come.
type presenceRun struct {
	bench    *Presence
	target   *target
	progress *progress
	found    figures

	clients  []*client.Client // those that come and go
	watchers crowd.Crowd
	watching int          // how many they are
	idle     presenceCost // of a second in which nobody comes or goes
	seq      uint64
}

// presenceCost is CPU seconds.
type presenceCost struct{ server, engine float64 }

func (r *presenceRun) close() {
	for _, c := range r.clients {
		closeClient(c)
	}
	if r.watchers != nil {
		r.watchers.Close()
	}
}

// connect connects those that come and go.
func (r *presenceRun) connect(ctx context.Context) error {
	for range r.bench.Changes {
		c, err := client.Connect(ctx, baseURL(r.target.url), client.Options{})
		if err != nil {
			return fmt.Errorf("connect a member: %w", err)
		}
		r.clients = append(r.clients, c)
	}
	return nil
}

// watch has the watchers begin where the presence is now.
func (r *presenceRun) watch(ctx context.Context) error {
	top, err := r.bench.top(ctx, r.clients[0])
	if err != nil {
		return err
	}
	r.watchers, err = r.target.prepare(crowd.Order{
		Dialect: watching(), Clients: r.bench.Watchers, Channel: wire.PresenceMap(r.bench.Channel), Since: []string{top},
		Unordered: true, Underway: arrivalsUnderway,
	})
	if err != nil {
		return err
	}
	a, err := arrive(ctx, r.watchers, r.bench.Watchers, r.found, r.progress)
	r.setWatching(a.Arrived)
	return err
}

// haveMembersWatch has those members watch that stay, and waits until they do: until they know of one who came and went.
func (r *presenceRun) haveMembersWatch(ctx context.Context) error {
	top, err := r.bench.top(ctx, r.clients[0])
	if err != nil {
		return err
	}
	r.setWatching(int(r.watchers.Arrived()))
	frame := fmt.Sprintf(`{"id":2,"sub":{"ch":%q,"since":%q}}`, wire.PresenceMap(r.bench.Channel), top)
	if err := r.watchers.Say(frame); err != nil {
		return err
	}
	for _, do := range []change{r.joinOne, r.leaveOne} {
		if err := r.single(ctx, r.clients[0], crowd.NewHistogram(), do); err != nil {
			return err
		}
	}
	return nil
}

func (r *presenceRun) setWatching(n int) { r.watching, r.found[watcherCount] = n, float64(n) }

// rest measures what the server uses while nobody comes or goes.
func (r *presenceRun) rest(ctx context.Context) error {
	before, err := r.target.usage()
	if err != nil {
		return err
	}
	if err := r.progress.wait(ctx, r.bench.Settle, "resting"); err != nil {
		return err
	}
	after, err := r.target.usage()
	took := after.at.Sub(before.at).Seconds()
	r.idle = presenceCost{(after.cpu - before.cpu).Seconds() / took, (after.engine - before.engine).Seconds() / took}
	if r.target.pid != 0 {
		r.found[cpuPercentIdle] = 100 * r.idle.server
	}
	return err
}

func (r *presenceRun) join(ctx context.Context) error {
	return r.all(ctx, "join", joinMetrics, r.joinOne)
}

func (r *presenceRun) leave(ctx context.Context) error {
	return r.all(ctx, "leave", leaveMetrics, r.leaveOne)
}

func (r *presenceRun) joinOne(ctx context.Context, c *client.Client, seq uint64) error {
	state := wire.JSONData(crowd.Data(r.bench.Size, crowd.Stamp(), seq))
	return c.Presence(r.bench.Channel).Join(ctx, state)
}

func (r *presenceRun) leaveOne(ctx context.Context, c *client.Client, _ uint64) error {
	return c.Presence(r.bench.Channel).Leave(ctx)
}

// change has one client come or go.
type change func(ctx context.Context, c *client.Client, seq uint64) error

// all has every client come, or go, at the rate, waits until all watchers know, and sets what it cost.
func (r *presenceRun) all(ctx context.Context, what string, m presenceMetrics, do change) error {
	r.progress.say("%d %s", len(r.clients), what)
	if _, err := r.tally(); err != nil { // what came before does not count
		return err
	}
	known := r.watchers.Delivered()
	before, err := r.target.usage()
	if err != nil {
		return err
	}
	if err := r.paced(ctx, do); err != nil {
		return err
	}
	if err := r.awaitKnown(ctx, known+int64(len(r.clients)*r.watching)); err != nil {
		return err
	}
	after, err := r.target.usage()
	if err != nil {
		return err
	}
	t, err := r.tally()
	if err != nil {
		return err
	}
	n, took := float64(len(r.clients)), after.at.Sub(before.at).Seconds()
	r.found[m.bytes] = float64(t.Bytes) / n / float64(r.watching)
	if r.target.pid != 0 {
		r.found[m.cpu] = ((after.cpu - before.cpu).Seconds() - took*r.idle.server) / n * 1e6
	}
	if engine := after.engine - before.engine; engine > 0 {
		r.found[m.engineCPU] = (engine.Seconds() - took*r.idle.engine) / n * 1e6
	}
	return nil
}

// paced has the clients come, or go, at the rate, and waits for the answers.
func (r *presenceRun) paced(ctx context.Context, do change) error {
	failures := make([]error, len(r.clients))
	var changing sync.WaitGroup
	tick := time.NewTicker(time.Duration(float64(time.Second) / r.bench.Rate))
	defer tick.Stop()
	for i, c := range r.clients {
		r.seq++
		seq := r.seq
		changing.Go(func() { failures[i] = do(ctx, c, seq) })
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	changing.Wait()
	return errors.Join(failures...)
}

// oneByOne times how long it takes until every watcher knows of one who comes, and of one who goes.
func (r *presenceRun) oneByOne(ctx context.Context) error {
	joined, left := crowd.NewHistogram(), crowd.NewHistogram()
	for _, c := range r.clients[:r.bench.Singles] {
		if err := r.single(ctx, c, joined, r.joinOne); err != nil {
			return err
		}
		if err := r.single(ctx, c, left, r.leaveOne); err != nil {
			return err
		}
	}
	r.found.setPercentiles(joinKnown, joined)
	r.found.setPercentiles(leaveKnown, left)
	return nil
}

func (r *presenceRun) single(ctx context.Context, c *client.Client, h *crowd.Histogram, do change) error {
	known, stamp := r.watchers.Delivered(), crowd.Stamp()
	r.seq++
	if err := do(ctx, c, r.seq); err != nil {
		return err
	}
	err := r.awaitKnown(ctx, known+int64(r.watching))
	h.Record(crowd.Stamp() - stamp)
	return err
}

// awaitKnown waits until watchers were told so much. What they are not told is counted as errors.
func (r *presenceRun) awaitKnown(ctx context.Context, n int64) error {
	patience := time.NewTimer(drainPatience)
	defer patience.Stop()
	for r.watchers.Delivered() < n {
		select {
		case <-r.watchers.News():
			patience.Reset(drainPatience)
		case <-patience.C:
			r.found[errorCount] += float64(n - r.watchers.Delivered())
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// tally takes what the watchers got since the last call, and counts its errors.
func (r *presenceRun) tally() (crowd.Tally, error) {
	t, err := r.watchers.Tally()
	if err == nil {
		r.found[errorCount] += float64(t.Errors + t.Gaps)
		r.progress.reasonOf(figures{errorCount: float64(t.Errors)}, t.Reason)
	}
	return t, err
}

func (r *presenceRun) settle() error {
	_, err := r.tally()
	return err
}
