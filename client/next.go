package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/earshot/earshot/wire"
)

// Next waits for the next event, in order. After Close it returns ErrClosed; after the server ended the subscription or
// the client, an *Error, once what came before is read. Calls that overlap take turns.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		ev, behind, err := s.pop()
		if ev != nil || err != nil {
			return ev, err
		}
		if behind {
			if err := s.catchUp(ctx); err != nil {
				return nil, fmt.Errorf("catch up with %q: %w", s.channel, err)
			}
			continue
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Events returns the stream as a sequence that ends with the first error.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			ev, err := s.Next(ctx)
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// pop takes the next event out of the queue. Without one, it says whether the subscription is behind.
func (s *Subscription) pop() (ev Event, behind bool, err error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if errors.Is(s.over, ErrClosed) {
		return nil, false, s.over
	}
	if len(s.queue) == 0 {
		return nil, s.behind, s.over
	}
	ev = s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.queueBytes -= sizeBytes(ev)
	s.consumed = ev.After()
	if len(s.queue) == 0 {
		s.consumed = s.received // which may have moved on over what was left out
	}
	return ev, false, nil
}

// pushLocked queues what came live. Without room for it the subscription falls behind: it leaves the live stream, and
// what it has not queued it will read from the log.
func (s *Subscription) pushLocked(l *link, ev Event) {
	if s.copied != nil {
		s.copyLocked(l, ev)
		return
	}
	size := sizeBytes(ev)
	full := len(s.queue) >= s.c.opts.QueueEvents || s.queueBytes+size > s.c.opts.QueueBytes
	if full && len(s.queue) > 0 {
		s.behind = true
		s.leaveLocked(l)
		s.c.log.Info("subscription fell behind", "channel", s.channel, "events", len(s.queue), "bytes", s.queueBytes)
		return
	}
	s.appendLocked(ev, size)
}

// copyLocked applies what came live to the copy of the map.
func (s *Subscription) copyLocked(l *link, ev Event) {
	if err := s.copied.take(ev); err != nil {
		s.leaveLocked(l)
		delete(s.c.subs, s.channel)
		s.endLocked(err)
		return
	}
	s.received = ev.After()
	s.pokeLocked()
}

// syncLocked notes that the server has delivered every key of the map.
func (s *Subscription) syncLocked(position string) {
	s.moveLocked(position)
	if s.copied != nil {
		s.copied.sync(s.channel)
		s.pokeLocked()
	}
}

func (s *Subscription) appendLocked(ev Event, size int) {
	s.queue = append(s.queue, ev)
	s.queueBytes += size
	s.received = ev.After()
	s.pokeLocked()
}

// moveLocked advances over what was left out.
func (s *Subscription) moveLocked(position string) {
	s.received = position
	if len(s.queue) == 0 {
		s.consumed = position
	}
}

// catchUp reads one page after what was received, and joins the live stream again when there is no more.
//
// History knows no NoEcho, a channel that keeps nothing has none, and of a page that does not join the server must say
// why: in these cases the subscription joins at once, after the position where it left, and is told Reset or Missed.
func (s *Subscription) catchUp(ctx context.Context) error {
	if s.opts.NoEcho {
		s.rejoin()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	page, err := s.c.History(ctx, s.channel, HistoryOptions{Since: s.tail(), Limit: min(s.c.opts.QueueEvents, wire.MaxPageLimit)})
	if s.life.Err() != nil {
		return nil // pop knows why
	}
	if err != nil && !isRefusal(err) {
		return err
	}
	if err == nil && page.Complete {
		s.fill(page.Publications)
	}
	if err != nil || !page.Complete || !page.More {
		s.rejoin()
	}
	return nil
}

func (s *Subscription) tail() string {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.received
}

func (s *Subscription) fill(pubs []Publication) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.queue = slices.Grow(s.queue, len(pubs))
	for _, p := range pubs {
		s.appendLocked(p, sizeBytes(p))
	}
}

// rejoin returns to the live stream.
func (s *Subscription) rejoin() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.behind = false
	if l := s.c.link; l != nil && s.over == nil {
		s.joinLocked(l)
	}
}
