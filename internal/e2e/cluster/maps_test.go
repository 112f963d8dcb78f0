package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// Clients at all nodes count in the keys of a map by compare-and-set, over connections that break, while nodes are killed. No
// step is lost or made twice; every watcher sees each key only go up, and in the end what the map holds.
func TestCountingInAMap(t *testing.T) {
	t.Parallel()
	const counters, watchers, keys = 6, 6, 5
	steps := testkit.Scale(60, 1500)
	run, f, crew := testkit.Begin("D8"), startFleet(t), newCrew(t)
	ways := newRoamer(f.addrs()...)
	ways.minBytes, ways.maxBytes = 200, 30_000
	tolds := make([]int, watchers)
	for i := range watchers {
		c := ways.connect(t, client.Options{})
		crew.do(func(ctx context.Context) (err error) {
			tolds[i], err = watchCounts(ctx, c, counters*steps)
			return err
		})
	}
	killed := make(chan struct{})
	for i := range counters {
		board := ways.connect(t, client.Options{}).Map("map:counts")
		crew.do(func(ctx context.Context) error {
			for n := range steps {
				if err := countUp(ctx, board, fmt.Sprint(n%keys)); err != nil {
					return fmt.Errorf("counter %d, step %d: %w", i, n, err)
				}
				if i == 0 && n == steps/2 {
					close(killed)
				}
			}
			return nil
		})
	}
	<-killed
	for _, n := range f.nodes {
		n.kill()
		n.start()
	}
	crew.wait()
	told := 0
	for _, n := range tolds {
		told += n
	}
	run.Counted = fmt.Sprintf("%d steps of %d counters, %d cuts, %d nodes killed, %d changes told to %d watchers",
		counters*steps, counters, ways.cuts.Load(), nodeCount, told, watchers)
	run.End(t)
}

// countUp adds one to a key, unless somebody else changed it meanwhile: then it tries again.
func countUp(ctx context.Context, board *client.Map, key string) error {
	for {
		all, err := board.Read(ctx)
		if err != nil {
			return err
		}
		var count int
		version := uint64(0)
		if c, ok := all[key]; ok {
			version = c.Version
			if err := c.Decode(&count); err != nil {
				return err
			}
		}
		_, err = board.SetJSON(ctx, key, count+1, client.SetOptions{If: &version})
		var e *client.Error
		if !errors.As(err, &e) || e.Code != wire.CodeVersionMismatch {
			return err
		}
	}
}

// counts is what a watcher was told of the keys.
type counts struct {
	of       map[string]int
	versions map[string]uint64
	sum      int
	told     int
}

// watchCounts watches until the counts add up to sum, and returns how many changes it was told.
func watchCounts(ctx context.Context, c *client.Client, sum int) (told int, err error) {
	w, err := c.Map("map:counts").Watch(ctx, client.WatchOptions{})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	seen := counts{of: make(map[string]int), versions: make(map[string]uint64)}
	for seen.sum < sum {
		ev, err := w.Next(ctx)
		if change, ok := ev.(client.Change); ok {
			err = seen.note(change)
		}
		if err != nil {
			return seen.told, err
		}
	}
	if seen.sum > sum {
		return seen.told, fmt.Errorf("the counts %v are more than %d", seen.of, sum)
	}
	return seen.told, nil
}

// note checks that a key only goes up.
func (s *counts) note(c client.Change) error {
	var count int
	if err := c.Decode(&count); err != nil {
		return err
	}
	if c.Version <= s.versions[c.Key] || count <= s.of[c.Key] {
		return fmt.Errorf("key %s goes from %d at version %d to %d at version %d",
			c.Key, s.of[c.Key], s.versions[c.Key], count, c.Version)
	}
	s.sum += count - s.of[c.Key]
	s.of[c.Key], s.versions[c.Key] = count, c.Version
	s.told++
	return nil
}
