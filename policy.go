package earshot

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// policy decides by the namespaces' rules first, then by the application's hooks.
type policy struct {
	namespaces namespaces
	hooks      Options
}

func (p policy) Connect(ctx context.Context, h session.Handshake, hello wire.Hello) (session.Identity, error) {
	if p.hooks.OnConnect == nil {
		return session.Identity{}, nil
	}
	who, err := p.hooks.OnConnect(ctx, ConnectRequest{
		Token: hello.Token, Client: hello.Client, RemoteAddr: h.RemoteAddr, Header: h.Header,
	})
	if err != nil {
		return session.Identity{}, err
	}
	if err := wire.ValidateUser(who.User); err != nil {
		return session.Identity{}, fmt.Errorf("identity from OnConnect: %w", err)
	}
	return session.Identity(who), nil
}

func (p policy) Subscribe(ctx context.Context, s *session.Session, channel string) error {
	return p.read(ctx, s, channel, func(ns Namespace) Access { return ns.Subscribe })
}

func (p policy) History(ctx context.Context, s *session.Session, channel string) error {
	return p.read(ctx, s, channel, func(ns Namespace) Access {
		if ns.Kind == Pub {
			// It has no history to protect: who may subscribe learns so from the engine's ErrNoHistory.
			return ns.Subscribe
		}
		return ns.ReadHistory
	})
}

func (p policy) read(ctx context.Context, s *session.Session, channel string, rule func(Namespace) Access) error {
	if _, err := p.allow(s, channel, rule); err != nil {
		return err
	}
	if of, ok := wire.ReadOf(channel); ok {
		channel = of
	}
	return p.admit(ctx, s, channel)
}

// admit asks the application who may read the channel.
func (p policy) admit(ctx context.Context, s *session.Session, channel string) error {
	if p.hooks.OnSubscribe == nil {
		return nil
	}
	return p.hooks.OnSubscribe(ctx, Session{s}, channel)
}

func (p policy) Publish(ctx context.Context, s *session.Session, m *wire.Publish) error {
	ns, err := p.allow(s, m.Channel, mayPublish)
	if err != nil {
		return err
	}
	if ns.Kind == Map {
		return wire.Errorf(wire.CodeWrongKind, "the channel is a map: set a key of it")
	}
	if p.hooks.OnPublish == nil {
		return nil
	}
	return p.hooks.OnPublish(ctx, Session{s}, m)
}

func mayPublish(ns Namespace) Access { return ns.Publish }

func (p policy) Presence(_ context.Context, s *session.Session, channel string) error {
	_, err := p.allow(s, channel, func(ns Namespace) Access { return ns.Presence })
	return err
}

func (p policy) Call(ctx context.Context, s *session.Session, c wire.Call) (wire.Data, error) {
	if p.hooks.OnCall == nil {
		return wire.Data{}, &wire.ProtocolError{Code: wire.CodeNoHandler}
	}
	return p.hooks.OnCall(ctx, Session{s}, c)
}

func (p policy) CallSession(ctx context.Context, s *session.Session, c wire.Call) error {
	if p.hooks.OnSessionCall == nil {
		return &wire.ProtocolError{Code: wire.CodeForbidden}
	}
	return p.hooks.OnSessionCall(ctx, Session{s}, c)
}

// allow applies the rule of the channel's namespace, and returns that.
func (p policy) allow(s *session.Session, channel string, rule func(Namespace) Access) (Namespace, error) {
	ns, err := p.namespaces.of(channel)
	if err != nil {
		return Namespace{}, err
	}
	if !rule(ns).includes(s.User(), channel) {
		return Namespace{}, &wire.ProtocolError{Code: wire.CodeForbidden}
	}
	return ns, nil
}

// includes reports whether user is one of those that may use channel; empty for an anonymous client.
func (a Access) includes(user, channel string) bool {
	switch a {
	case Anyone:
		return true
	case Users:
		return user != ""
	case owner:
		return user != "" && user == ownerOf(channel)
	}
	return false
}
