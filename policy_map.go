package earshot

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

func (p policy) Set(ctx context.Context, s *session.Session, c *wire.Set) error {
	ns, err := p.allowChange(s, c.Channel)
	if err != nil {
		return err
	}
	if of, ok := wire.ReadOf(c.Channel); ok {
		if c.Key != s.User() {
			return wire.Errorf(wire.CodeForbidden, "a client sets the read cursor of its own user")
		}
		if err := p.admit(ctx, s, of); err != nil {
			return err
		}
	}
	if p.hooks.OnSet != nil {
		if err := p.hooks.OnSet(ctx, Session{s}, c); err != nil {
			return err
		}
		if err := wire.ValidateMessage(wire.Message{Data: c.Data}); err != nil {
			return fmt.Errorf("data from OnSet: %v", err) // not the client's mistake, so not told as one
		}
	}
	return ns.checkValue(c.Data)
}

func (p policy) Delete(ctx context.Context, s *session.Session, c *wire.Delete) error {
	if _, err := p.allowChange(s, c.Channel); err != nil {
		return err
	}
	if _, ok := wire.ReadOf(c.Channel); ok {
		return wire.Errorf(wire.CodeForbidden, "read cursors are not deleted")
	}
	if p.hooks.OnDelete == nil {
		return nil
	}
	return p.hooks.OnDelete(ctx, Session{s}, c)
}

// allowChange applies the rule of who may change keys.
func (p policy) allowChange(s *session.Session, channel string) (Namespace, error) {
	ns, err := p.namespaces.decide(s.Who(), auth.Set, channel)
	if err == nil && ns.Kind != Map {
		return ns, wire.Errorf(wire.CodeWrongKind, "the channel is no map: publish to it")
	}
	return ns, err
}

// checkValue refuses what is larger than the value of a key may be.
func (ns Namespace) checkValue(value Data) error {
	if ns.MaxValue > 0 && len(value.Body) > ns.MaxValue {
		return wire.Errorf(wire.CodeTooLarge, "a value in this map is at most %d bytes", ns.MaxValue)
	}
	return nil
}
