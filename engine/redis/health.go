package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// failureFor is how long a failure counts against health when no other call has been made since.
const failureFor = 10 * time.Second

// probeEvery is how often one call tries whether Redis is back; the others fail at once meanwhile.
const probeEvery = 250 * time.Millisecond

// trouble is what does not work, and since when. The zero value: nothing.
type trouble struct {
	since time.Time
	err   error
}

// note takes an outcome: trouble begins with the first failure and ends with a success.
func (t *trouble) note(err error) {
	if err != nil && t.err == nil {
		t.since = time.Now()
	}
	t.err = err
}

// and returns both as one, since the earlier.
func (t trouble) and(other trouble) trouble {
	switch {
	case t.err == nil:
		return other
	case other.err == nil:
		return t
	case other.since.Before(t.since):
		t.since = other.since
	}
	t.err = errors.Join(t.err, other.err)
	return t
}

// breaker makes calls fail at once while Redis does not answer: they would each wait for the timeout.
type breaker struct {
	mu      sync.Mutex
	failure trouble   // none while Redis answers
	probe   time.Time // when the next call may try
}

// allow returns nil if a call may be made.
func (b *breaker) allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.failure.err != nil && now.Before(b.probe) {
		return b.failure.err
	}
	b.probe = now.Add(probeEvery)
	return nil
}

// note takes the outcome of a call. What Redis answered, were it an error, shows that it is there.
func (b *breaker) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failure.note(err)
	b.probe = time.Now().Add(probeEvery)
}

// trouble returns the failure of the last call, if that is not long ago.
func (b *breaker) trouble() trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.probe) > failureFor {
		return trouble{}
	}
	return b.failure
}

// maxDials is how often a call is made again whose connection was not opened because another caller, who was the first to
// want it, gave up.
const maxDials = 3

// exec runs a script on keys of one slot, within the time that a call may take.
func (e *Engine) exec(ctx context.Context, s *rueidis.Lua, keys, args []string) rueidis.RedisResult {
	var b *breaker
	if l := e.listeners.of(keys[0]); l != nil {
		b = &l.breaker
		if err := b.allow(); err != nil {
			return rueidis.NewErrorResult(fmt.Errorf("redis did not answer before: %w", err))
		}
	}
	call, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	r := s.Exec(call, e.client, keys, args)
	for again := 0; again < maxDials && call.Err() == nil && errors.Is(r.NonRedisError(), context.Canceled); again++ {
		r = s.Exec(call, e.client, keys, args)
	}
	if b != nil && ctx.Err() == nil {
		b.note(absent(r))
	}
	return r
}

// absent returns the error that shows that Redis did not answer, or nil.
func absent(r rueidis.RedisResult) error {
	err := r.NonRedisError()
	if errors.Is(err, rueidis.ErrClosing) {
		return nil
	}
	return err
}

// Fault implements engine.Engine. The node's lease is a write that Redis is asked for every few seconds, so it also shows a
// Redis that answers and does not commit.
func (e *Engine) Fault() *engine.Fault {
	t := e.listeners.trouble().and(e.nodes.trouble())
	if t.err == nil {
		return nil
	}
	return &engine.Fault{Since: t.since, Err: unavailable("commit to Redis", t.err)}
}
