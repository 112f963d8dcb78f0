package earshot

import (
	"context"
	"log/slog"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// policy decides by the namespaces' rules and the token's grants first, then by the application's hooks.
type policy struct {
	namespaces namespaces
	hooks      Options
	tokens     *auth.Verifier // nil: tokens are for OnConnect
	revoked    *revocations
	log        *slog.Logger
}

func (p policy) Subscribe(ctx context.Context, s *session.Session, channel string) error {
	return p.read(ctx, s, auth.Subscribe, channel)
}

func (p policy) History(ctx context.Context, s *session.Session, channel string) error {
	return p.read(ctx, s, auth.History, channel)
}

func (p policy) read(ctx context.Context, s *session.Session, op auth.Operation, channel string) error {
	if _, err := p.namespaces.decide(s.Who(), op, channel); err != nil {
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
	ns, err := p.namespaces.decide(s.Who(), auth.Publish, m.Channel)
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

func (p policy) Presence(_ context.Context, s *session.Session, channel string) error {
	_, err := p.namespaces.decide(s.Who(), auth.Presence, channel)
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
