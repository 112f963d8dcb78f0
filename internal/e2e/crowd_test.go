package e2e

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// crowd is many clients as applications have them, with the default waits between their tries.
type crowd struct {
	clients []*client.Client
	states  []*states
}

// gather connects n clients, and waits until they are.
func gather(t *testing.T, crew *crew, url string, n int) *crowd {
	t.Helper()
	c := new(crowd)
	for range n {
		s := newStates()
		one, err := client.Connect(context.Background(), url, client.Options{OnState: s.add})
		if err != nil {
			t.Fatal(err)
		}
		c.clients, c.states = append(c.clients, one), append(c.states, s)
	}
	t.Cleanup(c.close)
	c.returns(t, crew.ctx, 1)
	return c
}

// close ends all of them at once.
func (c *crowd) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var closing sync.WaitGroup
	for _, one := range c.clients {
		closing.Go(func() { _ = one.Close(ctx) }) // a server that is gone does not answer a goodbye
	}
	closing.Wait()
}

// firstLoss returns when the first of them lost its connection after a time.
func (c *crowd) firstLoss(t *testing.T, ctx context.Context, after time.Time) time.Time {
	t.Helper()
	var lost []time.Time
	for _, s := range c.states {
		at, err := s.lost(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		lost = append(lost, at)
	}
	return slices.MinFunc(lost, time.Time.Compare)
}

// returns waits until all of them have been connected so often, and returns when each was, in order.
func (c *crowd) returns(t *testing.T, ctx context.Context, times int) []time.Time {
	t.Helper()
	var opened []time.Time
	for _, s := range c.states {
		_, at, err := s.wait(ctx, client.PhaseOpen, times)
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, at)
	}
	slices.SortFunc(opened, time.Time.Compare)
	return opened
}

// busiestTenth returns which part of the times, which are in order, lies within the same tenth of what they span.
func busiestTenth(at []time.Time) float64 {
	return float64(mostWithin(at, at[len(at)-1].Sub(at[0])/10)) / float64(len(at))
}

// mostWithin returns how many of the times, which are in order, lie within the same span.
func mostWithin(at []time.Time, span time.Duration) (most int) {
	first := 0
	for i := range at {
		for at[i].Sub(at[first]) > span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
