package earshot

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// policy decides by the namespaces' rules first, then by the application's hooks.
type policy struct {
	namespaces  namespaces
	onConnect   func(context.Context, ConnectRequest) (Identity, error)
	onSubscribe func(context.Context, Session, string) error
	onPublish   func(context.Context, Session, *PublishRequest) error
}

func (p policy) Connect(ctx context.Context, h session.Handshake, hello wire.Hello) (session.Identity, error) {
	if p.onConnect == nil {
		return session.Identity{}, nil
	}
	who, err := p.onConnect(ctx, ConnectRequest{
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
	if err := p.allow(s, channel, rule); err != nil {
		return err
	}
	if p.onSubscribe == nil {
		return nil
	}
	return p.onSubscribe(ctx, Session{s}, channel)
}

func (p policy) Publish(ctx context.Context, s *session.Session, m *wire.Publish) error {
	if err := p.allow(s, m.Channel, func(ns Namespace) Access { return ns.Publish }); err != nil {
		return err
	}
	if p.onPublish == nil {
		return nil
	}
	return p.onPublish(ctx, Session{s}, m)
}

// allow applies the rule of the channel's namespace.
func (p policy) allow(s *session.Session, channel string, rule func(Namespace) Access) error {
	ns, err := p.namespaces.of(channel)
	if err != nil {
		return err
	}
	switch rule(ns) {
	case Anyone:
		return nil
	case Users:
		if s.User() != "" {
			return nil
		}
	}
	return &wire.ProtocolError{Code: wire.CodeForbidden}
}
