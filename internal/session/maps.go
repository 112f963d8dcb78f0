package session

import (
	"bytes"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// set changes a key of a map; the answer follows when it is committed.
func (l *Link) set(id uint64, s wire.Set) error {
	if err := l.mayChange(s.Channel); err != nil {
		return err
	}
	change := &engine.MapChange{Key: s.Key, IfVersion: s.If, TTL: s.TTL}
	if s.Own {
		change.Owner = l.session.id
		if !l.session.own(ownedKey{s.Channel, s.Key}, 0) {
			return wire.Errorf(wire.CodeTooManyKeys, "a session owns at most %d keys", maxOwned)
		}
	}
	message := wire.Message{Data: wire.Data{Body: bytes.Clone(s.Data.Body), Binary: s.Data.Binary}}
	l.propose(id, engine.Proposal{Channel: s.Channel, Idem: s.Idem, Map: change, Message: message})
	return nil
}

// remove deletes a key of a map.
func (l *Link) remove(id uint64, d wire.Delete) error {
	if err := l.mayChange(d.Channel); err != nil {
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

func (l *Link) mayChange(channel string) error {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	return l.node.Policy.Change(ctx, l.session, channel)
}
