//go:build linux

package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// reportEvery is how often a crowd's process tells its counts, at most.
const reportEvery = time.Millisecond

// Serve is the process of a crowd: it does what the bench asks on in, until in or ctx ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	requests := json.NewDecoder(in)
	var first request
	if err := requests.Decode(&first); err != nil || first.Order == nil {
		return fmt.Errorf("read the order of a crowd: %w", err)
	}
	s := &server{say: json.NewEncoder(out)}
	c, err := newLocal(*first.Order)
	if err != nil {
		return s.send(reply{Error: err.Error()})
	}
	defer c.Close()
	ctx, stop := context.WithCancel(ctx)
	var reporting sync.WaitGroup
	defer reporting.Wait()
	defer stop()
	reporting.Go(func() { s.report(ctx, c) })
	said := reply{}
	for {
		if err := errors.Join(s.tell(c), s.send(said)); err != nil {
			return fmt.Errorf("answer the bench: %w", err)
		}
		var q request
		if err := requests.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request to a crowd: %w", err)
		}
		said = answer(ctx, c, q)
	}
}

// server writes to the bench.
type server struct {
	mu   sync.Mutex
	say  *json.Encoder // guarded by mu
	told counts        // guarded by mu
}

func (s *server) send(r reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.say.Encode(r)
}

// tell sends the counts if they have changed.
func (s *server) tell(c *local) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := counts{Arrived: c.Arrived(), Delivered: c.Delivered()}
	if now == s.told {
		return nil
	}
	s.told = now
	return s.say.Encode(reply{Counts: &now})
}

func answer(ctx context.Context, c *local, q request) reply {
	switch q.Do {
	case doArrive:
		ctx, cancel := context.WithTimeout(ctx, q.Timeout)
		defer cancel()
		a, err := c.Arrive(ctx)
		return orError(reply{Arrivals: &a}, err)
	case doTally:
		t, err := c.Tally()
		return orError(reply{Tally: &t}, err)
	case doUnstick:
		return orError(reply{}, c.Unstick())
	case doSay:
		return orError(reply{}, c.Say(q.Frame))
	}
	return reply{Error: fmt.Sprintf("a crowd cannot %q", q.Do)}
}

func orError(r reply, err error) reply {
	if err != nil {
		return reply{Error: err.Error()}
	}
	return r
}

// report tells the counts when they have changed.
func (s *server) report(ctx context.Context, c *local) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.tell(c) != nil {
			return // the bench is gone
		}
	}
}
