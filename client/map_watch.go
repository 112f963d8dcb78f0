package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/earshot/earshot/wire"
)

// WatchOptions adjust a watch of a map.
type WatchOptions struct {
	// Every asks the server for at least so long between two deliveries, at most a minute. Zero: as soon as may be.
	Every time.Duration
}

// Watch is a copy of a map that the client keeps up to date, and the stream of what is new in it. A consumer that is slow
// is told of each key that changed once, with the newest that is known: what waits for it is bounded by the number of
// keys.
type Watch struct{ sub *Subscription }

// Watch asks for a map and what becomes of it, and returns once the server delivers. A client has at most one watch or
// subscription of a channel. Afterwards ctx has no effect.
//
// Errors: an *Error if the server refused, ErrClosed, or that of ctx.
func (m *Map) Watch(ctx context.Context, opts WatchOptions) (*Watch, error) {
	s := m.c.newSubscription(m.channel, SubscribeOptions{})
	s.every, s.copied = opts.Every, newMapCopy(m.c.opts.MapBytes)
	if opts.Every < 0 || opts.Every > wire.MaxEvery {
		return nil, fmt.Errorf("watch %q: Every is from 0 to %v", m.channel, wire.MaxEvery)
	}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("watch %q: %w", m.channel, err)
	}
	return &Watch{s}, nil
}

// Next waits for the next event. First each key that there is comes as a Change, then Synced, and from then on what
// changes. Of one key, versions only go up, and some may be left out. A Reset says to forget all keys: they follow.
// Calls that overlap take turns. Errors are those of Subscription.Next, and ErrMapTooLarge.
func (w *Watch) Next(ctx context.Context) (MapEvent, error) {
	s := w.sub
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		if ev, err := w.pop(); ev != nil || err != nil {
			return ev, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (w *Watch) pop() (MapEvent, error) {
	s := w.sub
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if errors.Is(s.over, ErrClosed) {
		return nil, s.over
	}
	if ev := s.copied.next(); ev != nil {
		return ev, nil
	}
	return nil, s.over
}

// Events returns the stream as a sequence that ends with the first error.
func (w *Watch) Events(ctx context.Context) iter.Seq2[MapEvent, error] {
	return func(yield func(MapEvent, error) bool) {
		for {
			ev, err := w.Next(ctx)
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// Get returns what a key holds, as far as has arrived: Next may not have told it yet. Without such a key it reports false.
func (w *Watch) Get(key string) (Change, bool) {
	w.sub.c.mu.Lock()
	defer w.sub.c.mu.Unlock()
	k := w.sub.copied.keys[key]
	if k == nil || k.Gone {
		return Change{}, false
	}
	return k.Change, true
}

// All returns all keys that have arrived, as Get does.
func (w *Watch) All() map[string]Change {
	w.sub.c.mu.Lock()
	defer w.sub.c.mu.Unlock()
	all := make(map[string]Change, w.sub.copied.live)
	for key, k := range w.sub.copied.keys {
		if !k.Gone {
			all[key] = k.Change
		}
	}
	return all
}

// Len returns how many keys have arrived.
func (w *Watch) Len() int {
	w.sub.c.mu.Lock()
	defer w.sub.c.mu.Unlock()
	return w.sub.copied.live
}

// Synced reports whether every key that there is has arrived.
func (w *Watch) Synced() bool {
	w.sub.c.mu.Lock()
	defer w.sub.c.mu.Unlock()
	return w.sub.copied.synced
}

// Channel returns the map's name.
func (w *Watch) Channel() string { return w.sub.channel }

// Close ends the watch: Next returns ErrClosed, and the server is told to send no more. It is idempotent.
func (w *Watch) Close() { w.sub.Close() }
