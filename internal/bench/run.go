//go:build linux

package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// loadThreads is how many threads the load may run on at once. A loop that is back from the kernel must not wait for the
// Go scheduler because other loops are at work; the operating system shares out the cores.
const loadThreads = 8

// side is one of the two that are compared.
type side struct {
	name    string
	measure func(ctx context.Context) (figures, error)
}

// serverBench is a scenario that can be measured against any server.
type serverBench func(ctx context.Context, t *target, p *progress) (figures, error)

// runServers measures Earshot and the baseline of the flags, each time on a fresh server.
func (c *Common) runServers(ctx context.Context, name string, measure serverBench, stdout io.Writer) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(loadThreads, runtime.NumCPU())))
	p := &progress{w: os.Stderr, prefix: "bench " + name}
	subject := c.serverSide("earshot", c.openEarshot, measure, p)
	var baseline *side
	if c.Baseline != "" {
		baseline = c.serverSide(c.baselineName(), c.openBaseline, measure, p)
	}
	return c.compare(ctx, p, newReport(name, subject, baseline), subject, baseline, stdout)
}

// baselineName returns the name in the file of another server, or else its address.
func (c *Common) baselineName() string {
	if c.BaselineFrames != "" {
		if d, err := crowd.ReadDialect(c.BaselineFrames); err == nil && d.Name != "" {
			return d.Name
		}
	}
	return c.Baseline
}

func (c *Common) serverSide(name string, open func(context.Context) (*target, error), measure serverBench, p *progress) *side {
	return &side{name: name, measure: func(ctx context.Context) (figures, error) {
		t, err := open(ctx)
		if err != nil {
			return nil, err
		}
		defer t.close()
		return measure(ctx, t, p)
	}}
}

// compare measures the sides in turn, another one first each time, and prints the report. Without a baseline it measures
// once.
func (c *Common) compare(ctx context.Context, p *progress, r *Report, subject, baseline *side, stdout io.Writer) error {
	pairs := c.Pairs
	if baseline == nil {
		pairs = 1
	}
	for i := range pairs {
		order := []*side{subject, baseline}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		found, err := measureAll(ctx, p, fmt.Sprintf("%d of %d", i+1, pairs), order)
		if err != nil {
			return err
		}
		r.pairs = append(r.pairs, pair{found[subject], found[baseline]})
	}
	return r.write(stdout, c.JSON)
}

// measureAll measures the sides that there are, in order.
func measureAll(ctx context.Context, p *progress, which string, order []*side) (map[*side]figures, error) {
	found := make(map[*side]figures)
	for _, s := range order {
		if s == nil {
			continue
		}
		p.say("%s: %s", which, s.name)
		f, err := s.measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", s.name, err)
		}
		found[s] = f
	}
	return found, nil
}
