package session

import (
	"cmp"
	"context"
	"slices"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// subscribing is a subscription on its way, in steps: whatever else happens between two of them, nothing is lost or
// repeated, because the channel's feed reaches this node before the place to start at is chosen, and reading goes by
// position from then on.
type subscribing struct {
	link *Link
	id   uint64
	req  wire.Subscribe
	sub  *hub.Subscription
}

func (l *Link) subscribe(id uint64, req wire.Subscribe) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	s := &subscribing{link: l, id: id, req: req}
	for _, step := range []func(context.Context) error{s.allow, s.join, s.locate, s.activate} {
		if err := step(ctx); err != nil {
			s.abandon()
			return err
		}
	}
	return nil
}

// allow asks whether the client may have the subscription.
func (s *subscribing) allow(ctx context.Context) error {
	l := s.link
	l.mu.Lock()
	have, full := l.findLocked(s.req.Channel) >= 0, len(l.subs) >= maxSubscriptions
	l.mu.Unlock()
	switch {
	case have:
		return &wire.ProtocolError{Code: wire.CodeAlreadySubscribed}
	case full:
		return wire.Errorf(wire.CodeTooManyChannels, "a session has at most %d subscriptions", maxSubscriptions)
	}
	if err := l.node.Policy.Subscribe(ctx, l.session, s.req.Channel); err != nil || s.req.Last == 0 {
		return err
	}
	return l.node.Policy.History(ctx, l.session, s.req.Channel)
}

// join makes the node listen to the channel.
func (s *subscribing) join(ctx context.Context) (err error) {
	s.sub, err = s.link.node.Hub.Join(ctx, s.req.Channel, s.link)
	return err
}

// locate finds the place to start at.
func (s *subscribing) locate(ctx context.Context) error {
	return s.sub.Begin(ctx, hub.Start{Since: s.req.Since, Last: s.req.Last})
}

// activate announces the subscription and lets Fill read from it.
func (s *subscribing) activate(context.Context) error {
	l := s.link
	sub := &subscription{
		Subscription: s.sub,
		last:         s.req.Last,
		noEcho:       s.req.NoEcho && l.sender != "",
		unsaid:       s.sub.Kind() == engine.KindMap,
	}
	if s.req.Every > 0 {
		sub.pace = &pace{every: s.req.Every}
	}
	l.mu.Lock()
	over := l.over
	if !over {
		if s.id != 0 {
			l.queueLocked(wire.ServerFrame{ID: s.id, Body: s.announcement()})
		}
		l.subs = append(l.subs, sub)
	}
	l.mu.Unlock()
	if over {
		s.abandon()
	}
	l.transport.Notify()
	return nil
}

// announcement names the position after which publications follow: the one that the client gave, even if it turns out
// that it can't be continued; a reset then says where the stream goes on.
func (s *subscribing) announcement() wire.Subscribed {
	position := s.req.Since
	if position == "" {
		position = s.sub.Position().String()
	}
	return wire.Subscribed{Channel: s.req.Channel, Position: position}
}

// abandon leaves the channel again.
func (s *subscribing) abandon() {
	if s.sub != nil {
		s.sub.Leave()
	}
}

// unsubscribe ends a subscription. Nothing of the channel follows the answer.
func (l *Link) unsubscribe(id uint64, u wire.Unsubscribe) error {
	sub := l.takeSubscription(u.Channel)
	if sub == nil {
		return &wire.ProtocolError{Code: wire.CodeNotSubscribed}
	}
	sub.Leave()
	l.answer(id, wire.Unsubscribed{Channel: u.Channel})
	return nil
}

// findLocked returns the index of the channel's subscription, or -1.
func (l *Link) findLocked(channel string) int {
	return slices.IndexFunc(l.subs, func(s *subscription) bool { return s.Channel() == channel })
}

// endSubscription ends a subscription of the session and tells the client why. Without one it does nothing.
func (s *Session) endSubscription(channel string, code wire.Code, reason string) {
	l := s.connection()
	if l == nil {
		return
	}
	if sub := l.takeSubscription(channel); sub != nil {
		sub.Leave()
		l.say(wire.ServerFrame{Body: wire.Unsubscribed{Channel: channel, Code: code, Reason: reason}})
	}
}

// recheck ends the subscriptions that the policy no longer allows.
func (s *Session) recheck() {
	l := s.connection()
	if l == nil {
		return
	}
	for _, channel := range l.subscribed() {
		ctx, cancel := s.node.requestContext()
		err := s.node.Policy.Subscribe(ctx, s, channel)
		cancel()
		if err != nil {
			refusal := l.protocolError(err)
			s.endSubscription(channel, refusal.Code, cmp.Or(refusal.Reason, refusal.Code.Text()))
		}
	}
}

// subscribed returns the channels that the connection is subscribed to.
func (l *Link) subscribed() (channels []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.subs {
		channels = append(channels, s.Channel())
	}
	return channels
}

// takeSubscription takes the channel's subscription out, or returns nil.
func (l *Link) takeSubscription(channel string) *subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.findLocked(channel)
	if i < 0 {
		return nil
	}
	sub := l.subs[i]
	l.subs = slices.Delete(l.subs, i, i+1)
	return sub
}
