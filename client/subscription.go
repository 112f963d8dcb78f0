package client

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot/earshot/wire"
)

// SubscribeOptions say where a subscription starts. With neither Since nor Last it starts with what is published from
// now on.
type SubscribeOptions struct {
	// Since is a position from an earlier subscription, publication or page: delivery starts with what came after it,
	// or with a Reset.
	Since string
	// Last starts that many publications before the newest. With Since, or after a reconnect, it says where the stream
	// goes on after a Reset.
	Last int
	// NoEcho leaves out what this client itself published.
	NoEcho bool
}

// maxSubscriptions bounds those of one client: more than a server allows, less than the room for asking for them.
const maxSubscriptions = maxControl / 2

// phase is how a subscription stands on the open connection.
type phase uint8

const (
	phaseOut     phase = iota // not asked for
	phaseJoining              // asked for, not answered
	phaseLive                 // the server delivers
)

// Subscription is a stream of events of one channel.
type Subscription struct {
	// Set by Subscribe, then read-only.
	c       *Client
	channel string
	opts    SubscribeOptions
	every   time.Duration   // of a map: the least time between two deliveries
	seq     uint64          // order of subscribing
	turn    chan struct{}   // held by the Next that is under way
	wake    chan struct{}   // holds a token when Next should look again
	joined  chan struct{}   // closed when the server first delivered, or the subscription ended
	life    context.Context // ends with the subscription
	stop    context.CancelFunc

	// Guarded by c.mu.
	phase      phase
	joinID     uint64 // of the frame that asked last
	tries      backoff
	behind     bool   // let go of the live stream: Next reads on from the log
	received   string // position after what was put into the queue
	consumed   string // position after what Next returned
	queue      []Event
	queueBytes int
	over       error
	copied     *mapCopy // of a map that is watched: what came instead of queue; the pointer is set once
}

// Subscribe asks for a channel's publications and returns once the server delivers them. A client has at most one
// subscription of a channel. Afterwards ctx has no effect.
//
// Errors: an *Error if the server refused, ErrClosed, or that of ctx.
func (c *Client) Subscribe(ctx context.Context, channel string, opts SubscribeOptions) (*Subscription, error) {
	s := c.newSubscription(channel, opts)
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", channel, err)
	}
	return s, nil
}

// start asks for the subscription and waits until the server delivers.
func (s *Subscription) start(ctx context.Context) error {
	if err := s.register(); err != nil {
		return err
	}
	select {
	case <-s.joined:
	case <-ctx.Done():
		s.Close()
		return s.c.explain(context.Cause(ctx))
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.over
}

func (c *Client) newSubscription(channel string, opts SubscribeOptions) *Subscription {
	return &Subscription{
		c:        c,
		channel:  channel,
		opts:     opts,
		turn:     make(chan struct{}, 1),
		wake:     make(chan struct{}, 1),
		joined:   make(chan struct{}),
		tries:    backoff{base: c.opts.BackoffBase, max: c.opts.BackoffMax},
		received: opts.Since,
		consumed: opts.Since,
	}
}

// register adds the subscription to those of the client and asks for it if there is a connection.
func (s *Subscription) register() error {
	c := s.c
	if err := wire.ValidateChannel(s.channel); err != nil {
		return err
	}
	if _, err := measure(s.frame()); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return c.over
	}
	if c.subs[s.channel] != nil {
		return wire.Errorf(wire.CodeAlreadySubscribed, "this client is subscribed to %q", s.channel)
	}
	if len(c.subs) >= maxSubscriptions {
		return wire.Errorf(wire.CodeTooManyChannels, "this client has %d subscriptions", len(c.subs))
	}
	s.life, s.stop = context.WithCancel(context.Background())
	c.lastSeq++
	s.seq = c.lastSeq
	c.subs[s.channel] = s
	if c.link != nil {
		s.joinLocked(c.link)
	}
	return nil
}

// Channel returns the channel's name.
func (s *Subscription) Channel() string { return s.channel }

// Position returns the position after what Next returned last: what to name as Since to go on from here.
func (s *Subscription) Position() string {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.consumed
}

// Close ends the subscription: Next returns ErrClosed, and the server is told to send no more. It is idempotent.
func (s *Subscription) Close() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.over != nil {
		return
	}
	if l := s.c.link; l != nil {
		s.leaveLocked(l)
	}
	delete(s.c.subs, s.channel)
	s.endLocked(ErrClosed)
}

func (s *Subscription) frame() wire.Subscribe {
	return wire.Subscribe{Channel: s.channel, Since: s.received, Last: s.opts.Last, NoEcho: s.opts.NoEcho, Every: s.every}
}

// joinLocked asks the server for the stream after what was received.
func (s *Subscription) joinLocked(l *link) {
	s.phase = phaseJoining
	s.joinID = l.nextIDLocked()
	l.joins[s.joinID] = s
	l.sendLocked(wire.ClientFrame{ID: s.joinID, Body: s.frame()})
}

// leaveLocked asks the server to send no more. What is still on its way is dropped.
func (s *Subscription) leaveLocked(l *link) {
	if s.phase != phaseOut {
		l.sendLocked(wire.ClientFrame{Body: wire.Unsubscribe{Channel: s.channel}})
	}
	s.phase = phaseOut
	delete(l.joins, s.joinID)
}

func (s *Subscription) joinedLocked(b wire.Subscribed) {
	s.phase = phaseLive
	s.tries.attempt = 0
	// A subscription that named a position keeps it until the first event moves it on: if the connection broke between
	// this answer and a Reset, the answer's position would hide that Reset.
	if s.received == "" {
		s.received, s.consumed = b.Position, b.Position
	}
	select {
	case <-s.joined:
	default:
		close(s.joined)
	}
}

// refusedLocked ends the subscription, or, if it may succeed later, asks again after a while.
func (s *Subscription) refusedLocked(l *link, e *Error) {
	if !e.Code.Temporary() {
		delete(s.c.subs, s.channel)
		s.endLocked(e)
		return
	}
	s.phase = phaseOut
	wait := s.tries.after(e)
	s.c.log.Info("subscription refused for now", "channel", s.channel, "code", e.Code, "wait", wait)
	l.tasks.Go(func() { s.askAgain(l, wait) })
}

// askAgain joins after a while, unless the connection or the subscription ended or something else joined before.
func (s *Subscription) askAgain(l *link, wait time.Duration) {
	if sleep(l.ctx, wait) != nil {
		return
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.over == nil && s.c.link == l && s.phase == phaseOut && !s.behind {
		s.joinLocked(l)
	}
}

// endLocked makes Next return err. The caller has taken s out of the client's subscriptions.
func (s *Subscription) endLocked(err error) {
	s.over = err
	s.phase = phaseOut
	s.stop()
	select {
	case <-s.joined:
	default:
		close(s.joined)
	}
	s.pokeLocked()
}

func (s *Subscription) pokeLocked() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
