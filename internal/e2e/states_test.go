package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/earshot/earshot/client"
)

// states are the states that a client went through, with their times. Its add is the client's OnState.
type states struct {
	mu   sync.Mutex
	list []client.State
	at   []time.Time
	more chan struct{} // closed and replaced with each
}

func newStates() *states { return &states{more: make(chan struct{})} }

func (s *states) add(state client.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.at = append(s.list, state), append(s.at, time.Now())
	close(s.more)
	s.more = make(chan struct{})
}

// wait waits until the client has been in a phase so often, and returns the state of that time and when it was.
func (s *states) wait(ctx context.Context, phase client.Phase, times int) (client.State, time.Time, error) {
	for {
		s.mu.Lock()
		state, at, found := s.findLocked(phase, times)
		more := s.more
		s.mu.Unlock()
		if found {
			return state, at, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return client.State{}, time.Time{}, fmt.Errorf("not %v for the %d. time: %w", phase, times, context.Cause(ctx))
		}
	}
}

func (s *states) findLocked(phase client.Phase, times int) (client.State, time.Time, bool) {
	for i, state := range s.list {
		if state.Phase == phase {
			if times--; times == 0 {
				return state, s.at[i], true
			}
		}
	}
	return client.State{}, time.Time{}, false
}

// lost waits until the client has lost its connection after a time, and returns when that was.
func (s *states) lost(ctx context.Context, after time.Time) (time.Time, error) {
	for times := 1; ; times++ {
		if _, at, err := s.wait(ctx, client.PhaseConnecting, times); err != nil || at.After(after) {
			return at, err
		}
	}
}

// count returns how often the client has been in a phase.
func (s *states) count(phase client.Phase) (times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range s.list {
		if state.Phase == phase {
			times++
		}
	}
	return times
}
