package session

import (
	"bytes"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// set changes a key of a map; the answer follows when it is committed.
func (l *Link) set(id uint64, s wire.Set) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	if err := l.node.Policy.Set(ctx, l.session, &s); err != nil {
		return err
	}
	if of, ok := wire.ReadOf(s.Channel); ok {
		return l.moveCursor(ctx, id, s, of)
	}
	message := wire.Message{Data: wire.Data{Body: bytes.Clone(s.Data.Body), Binary: s.Data.Binary}}
	change := &engine.MapChange{Key: s.Key, IfVersion: s.If, TTL: s.TTL}
	p := engine.Proposal{Channel: s.Channel, Idem: s.Idem, Map: change, Message: message}
	key := ownedKey{s.Channel, s.Key}
	if !s.Own {
		l.proposeThen(id, p, func(err error) {
			if err == nil {
				l.session.disown(key)
			}
		})
		return nil
	}
	return l.proposeOwned(id, p, key, possession{until: expiry(s.TTL)})
}

// proposeOwned proposes to set a key that the session then owns.
func (l *Link) proposeOwned(id uint64, p engine.Proposal, key ownedKey, as possession) error {
	owner, ok := l.session.own(key, as)
	if !ok {
		return wire.Errorf(wire.CodeTooManyKeys, "a session owns at most %d keys", maxOwned)
	}
	p.Map.Owner = owner
	l.proposeThen(id, p, func(err error) { l.session.settle(key, owner, err) })
	return nil
}

// expiry returns when a key that is set now for ttl is gone for certain; zero: never.
func expiry(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return time.Now().Add(ttl)
}

// remove deletes a key of a map.
func (l *Link) remove(id uint64, d wire.Delete) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	if err := l.node.Policy.Delete(ctx, l.session, &d); err != nil {
		return err
	}
	change := &engine.MapChange{Key: d.Key, Delete: true, IfVersion: d.If}
	l.proposeThen(id, engine.Proposal{Channel: d.Channel, Idem: d.Idem, Map: change}, func(err error) {
		if err == nil {
			l.session.disown(ownedKey{d.Channel, d.Key})
		}
	})
	return nil
}
