package earshot

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// SetOptions adjust one Set.
type SetOptions struct {
	// If is the version that the key must have, zero for no such key. Nil: no condition.
	If *uint64
	// TTL is how long after this Set the key is deleted, unless it is set again; at most 30 days. Zero: it stays.
	TTL time.Duration
}

// Set gives a key of a Map the data of a message and returns once that is committed; Receipt.Offset is the version that the
// key then has. Rules of access and hooks do not apply.
//
// Errors are those of Publish; engine.ErrVersionMismatch if the key has not the version of o.If, and engine.ErrTooManyKeys.
func (s *Server) Set(ctx context.Context, channel, key string, m Message, o SetOptions) (Receipt, error) {
	if o.TTL < 0 || o.TTL > wire.MaxTTL {
		return Receipt{}, wire.Errorf(wire.CodeBadFrame, "a TTL is from 0 to %v", wire.MaxTTL)
	}
	return s.change(ctx, channel, m, engine.MapChange{Key: key, IfVersion: o.If, TTL: o.TTL})
}

// DeleteOptions adjust one Delete.
type DeleteOptions struct {
	If   *uint64 // as in SetOptions
	Idem string  // as in Message
}

// Delete deletes a key of a Map and returns once that is committed. That there is no such key is no error. Otherwise it is
// like Set.
func (s *Server) Delete(ctx context.Context, channel, key string, o DeleteOptions) (Receipt, error) {
	return s.change(ctx, channel, Message{Idem: o.Idem}, engine.MapChange{Key: key, Delete: true, IfVersion: o.If})
}

func (s *Server) change(ctx context.Context, channel string, m Message, change engine.MapChange) (Receipt, error) {
	if _, own := presentIn(channel); own {
		return Receipt{}, wire.Errorf(wire.CodeForbidden, "only the server itself changes who is present")
	}
	if err := wire.ValidateMapKey(change.Key); err != nil {
		return Receipt{}, err
	}
	return s.commit(ctx, m, engine.Proposal{Channel: channel, Map: &change})
}

// ReadMap returns every key of a Map with its publication, whose Offset is the key's version. A key that changes meanwhile
// has one of the values that it had. Presence is a map, too: see wire.PresenceMap. Rules of access do not apply.
func (s *Server) ReadMap(ctx context.Context, channel string) (map[string]wire.Publication, error) {
	if ns, err := s.namespaces.of(channel); err != nil {
		return nil, err
	} else if ns.Kind != Map {
		return nil, wire.Errorf(wire.CodeWrongKind, "%q is no map", channel)
	}
	keys := make(map[string]wire.Publication)
	for since := ""; ; {
		page, err := s.History(ctx, channel, HistoryRequest{Since: since, Limit: wire.MaxPageLimit})
		if err != nil {
			return nil, fmt.Errorf("read map: %w", err)
		}
		if !page.Complete { // what was deleted since the last page is no longer known
			clear(keys)
			since = ""
			continue
		}
		for _, p := range page.Publications {
			since = p.Position
			if keys[p.Key] = p; p.Gone {
				delete(keys, p.Key)
			}
		}
		if !page.More {
			return keys, nil
		}
	}
}
