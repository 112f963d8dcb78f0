package session

import (
	"encoding/base64"
	"encoding/json"
	"hash/maphash"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// presenceSeed is for telling whether a client that comes back says the same of itself as before.
var presenceSeed = maphash.MakeSeed()

// join says that the session is in a channel, with the user's own state. A repeated join with the same state changes
// nothing: nobody sees a client leave and come back.
func (l *Link) join(id uint64, j wire.Join) error {
	name, err := l.mayJoin(j.Channel)
	if err != nil {
		return err
	}
	value := presenceValue(l.session.user, j.Data)
	key := ownedKey{name, l.session.id}
	digest := maphash.Bytes(presenceSeed, value) | 1 // never that of a key whose value is not known
	if l.session.owns(key, digest) {
		l.answer(id, wire.Published{Channel: name, Duplicate: true})
		return nil
	}
	p := engine.Proposal{
		Channel: name, Map: &engine.MapChange{Key: l.session.id}, Message: wire.Message{Data: wire.JSONData(value)},
	}
	return l.proposeOwned(id, p, key, possession{digest: digest})
}

// leave says that the session is no longer in a channel.
func (l *Link) leave(id uint64, v wire.Leave) error {
	name, err := l.mayJoin(v.Channel)
	if err != nil {
		return err
	}
	change := &engine.MapChange{Key: l.session.id, Delete: true}
	l.proposeThen(id, engine.Proposal{Channel: name, Map: change}, func(err error) {
		if err == nil {
			l.session.disown(ownedKey{name, l.session.id})
		}
	})
	return nil
}

// mayJoin returns the presence map of a channel that the client may be present in.
func (l *Link) mayJoin(channel string) (string, error) {
	ctx, cancel := l.node.requestContext()
	defer cancel()
	return wire.PresenceMap(channel), l.node.Policy.Presence(ctx, l.session, channel)
}

// presenceValue is what a presence map holds of a session: {"user": ..., "state": ...}, with "b64" in place of "state" for
// bytes.
func presenceValue(user string, state wire.Data) []byte {
	name, _ := json.Marshal(user) // of a string it cannot fail
	value := append([]byte(`{"user":`), name...)
	if state.Binary {
		value = append(value, `,"b64":"`...)
		value = base64.StdEncoding.AppendEncode(value, state.Body)
		return append(value, `"}`...)
	}
	value = append(value, `,"state":`...)
	value = append(value, state.Body...)
	return append(value, '}')
}
