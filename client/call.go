package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/earshot/earshot/wire"
)

// resendWindow is how long after it was first sent a publish may be sent again: less than the 5 minutes for which a
// server remembers its idempotency id.
const resendWindow = 4*time.Minute + 30*time.Second

// call is a request, such as a publish or a history read, on its way to its answer, over as many connections as it takes.
type call struct {
	// Set by ask, then read-only.
	body   wire.ClientBody
	bytes  int         // of its frame
	result chan answer // holds the answer

	// Guarded by Client.mu.
	seq       uint64    // order of the calls
	firstSent time.Time // zero: never
	abandoned bool      // nobody waits for the answer; it only keeps its room until the link is done with it
}

type answer struct {
	body wire.ServerBody
	err  error
	via  *link // that the answer came over; nil if the client made it
}

// measure returns the size of body's frame, or the error with which a server would refuse it.
func measure(body wire.ClientBody) (int, error) {
	frame := wire.JSON.AppendClientFrame(nil, wire.ClientFrame{ID: wire.MaxID, Body: body})
	if len(frame) > wire.MaxFrameBytes {
		return 0, wire.Errorf(wire.CodeTooLarge, "the frame has %d bytes, at most %d are allowed", len(frame), wire.MaxFrameBytes)
	}
	if _, err := wire.JSON.DecodeClientFrame(frame); err != nil {
		return 0, err
	}
	return len(frame), nil
}

// ask makes a call and repeats it while the answer is that it may succeed later, until ctx ends.
func (c *Client) ask(ctx context.Context, body wire.ClientBody) (wire.ServerBody, error) {
	a := c.askUntil(ctx, body)
	return a.body, a.err
}

func (c *Client) askUntil(ctx context.Context, body wire.ClientBody) answer {
	bytes, err := measure(body)
	if err != nil {
		return answer{err: err}
	}
	k := &call{body: body, bytes: bytes, result: make(chan answer, 1)}
	tries := backoff{base: c.opts.BackoffBase, max: c.opts.BackoffMax}
	var last error
	for {
		a := c.askOnce(ctx, k)
		var e *Error
		if !errors.As(a.err, &e) || !e.Code.Temporary() {
			a.err = because(a.err, last)
			return a
		}
		last = e
		c.log.Debug("refused for now", "code", e.Code, "reason", e.Reason)
		if err := c.pause(ctx, tries.after(e)); err != nil {
			return answer{err: because(err, last)}
		}
	}
}

// pause waits for d, or for the end of ctx or of the client.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.life.Done():
		return ErrClosed
	}
}

// because adds to err what went wrong before, if that is known.
func because(err, last error) error {
	if err == nil || last == nil {
		return err
	}
	return fmt.Errorf("%w (before: %v)", err, last)
}

// askOnce queues k and waits for its answer, across connections.
func (c *Client) askOnce(ctx context.Context, k *call) answer {
	if err := c.admit(ctx, k); err != nil {
		return answer{err: c.explain(err)}
	}
	select {
	case a := <-k.result:
		return a
	case <-ctx.Done():
		c.abandon(k)
		return answer{err: c.explain(context.Cause(ctx))}
	}
}

// explain adds to the end of a context why the client has no connection.
func (c *Client) explain(err error) error {
	s := c.State()
	if s.Phase != PhaseConnecting {
		return err
	}
	if s.Err == nil {
		return fmt.Errorf("%w (not connected yet)", err)
	}
	return fmt.Errorf("%w (not connected: %v)", err, s.Err)
}

// admit waits for room and queues k. Callers are served in their order.
func (c *Client) admit(ctx context.Context, k *call) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	for {
		if queued, err := c.queue(k); queued || err != nil {
			return err
		}
		select {
		case <-c.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.life.Done():
			return ErrClosed
		}
	}
}

// queue appends k to the calls to be sent, if there is room.
func (c *Client) queue(k *call) (queued bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return false, c.over
	}
	if c.pending >= c.opts.MaxPending || c.pendingBytes+k.bytes > c.opts.MaxPendingBytes {
		return false, nil
	}
	c.pending++
	c.pendingBytes += k.bytes
	c.lastSeq++
	k.seq = c.lastSeq
	c.unsent = append(c.unsent, k)
	if c.link != nil {
		c.link.poke()
	}
	return true, nil
}

// takeUnsentLocked returns the next call to send, or nil. A publish that is too old to be repeated is answered instead.
func (c *Client) takeUnsentLocked() *call {
	for len(c.unsent) > 0 {
		k := c.unsent[0]
		c.unsent = slices.Delete(c.unsent, 0, 1)
		if k.firstSent.IsZero() {
			k.firstSent = time.Now()
		}
		if harmless(k.body) || time.Since(k.firstSent) < resendWindow {
			return k
		}
		c.answerLocked(k, answer{err: ErrOutcomeUnknown})
	}
	return nil
}

// harmless reports whether a repeat does no harm, however late.
func harmless(body wire.ClientBody) bool {
	switch body.(type) {
	case wire.History, wire.Join, wire.Leave:
		return true
	}
	return false
}

// dropUnrepeatableLocked ends the calls of a method that were sent in a session which l does not resume: only the session
// of an anonymous client tells the server that it is the same call.
func (c *Client) dropUnrepeatableLocked(l *link) {
	if l.welcome.Resumed {
		return
	}
	c.unsent = slices.DeleteFunc(c.unsent, func(k *call) bool {
		_, calls := k.body.(wire.Call)
		if !calls || k.firstSent.IsZero() {
			return false
		}
		c.answerLocked(k, answer{err: ErrOutcomeUnknown})
		return true
	})
}

// abandon gives up waiting for k's answer.
func (c *Client) abandon(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.abandoned = true
	if i := slices.Index(c.unsent, k); i >= 0 {
		c.unsent = slices.Delete(c.unsent, i, i+1)
		c.releaseLocked(k)
	}
}

// answerLocked ends k, which the caller has taken out of wherever it was.
func (c *Client) answerLocked(k *call, a answer) {
	k.result <- a
	c.releaseLocked(k)
}

// releaseLocked gives back k's room.
func (c *Client) releaseLocked(k *call) {
	c.pending--
	c.pendingBytes -= k.bytes
	select {
	case c.room <- struct{}{}:
	default:
	}
}
