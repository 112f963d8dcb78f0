package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/earshot/earshot/wire"
)

// Map is a channel that keeps the last value of each key. It holds nothing; see Watch for a copy.
type Map struct {
	c       *Client
	channel string
}

// Map returns the map of that name. It asks the server for nothing.
func (c *Client) Map(channel string) *Map { return &Map{c, channel} }

// SetOptions adjust one Set.
type SetOptions struct {
	// If is the version that the key must have, zero for no such key; otherwise Set fails with an *Error of
	// CodeVersionMismatch. Nil: no condition.
	If *uint64
	// TTL is how long after this Set the key is deleted, unless it is set again; at most 30 days. Zero: it stays.
	TTL time.Duration
	// Own has the server delete the key when this client's session ends, or when its connection is lost for over 10 s. If
	// this client comes back after that, it sets the key again, unless somebody else has set it meanwhile.
	Own bool
	// Idem is the idempotency id, as in PublishOptions.
	Idem string
}

// Set gives a key a value and returns once that is committed; Published.Offset is the version that the key then has. It is
// repeated as Publish is, and returns its errors.
func (m *Map) Set(ctx context.Context, key string, value Data, opts SetOptions) (Published, error) {
	set := wire.Set{Channel: m.channel, Key: key, Data: value, If: opts.If, TTL: opts.TTL, Own: opts.Own, Idem: opts.Idem}
	if set.Idem == "" {
		set.Idem = rand.Text()
	}
	err := errors.Join(checkKey(m.channel, key, set.Idem), wire.ValidateMessage(Message{Data: value}))
	if err == nil && opts.TTL < 0 {
		err = wire.Errorf(wire.CodeBadFrame, "the TTL is negative")
	}
	if err != nil {
		return Published{}, fmt.Errorf("set %q in %q: %w", key, m.channel, err)
	}
	at := stand{m.channel, key}
	m.c.beginChange(at)
	published, via, err := m.c.commit(ctx, set)
	m.c.endChange(at, outcome{published, via, err, standingKey(set, published)})
	if err != nil {
		return Published{}, fmt.Errorf("set %q in %q: %w", key, m.channel, err)
	}
	return published, nil
}

// SetJSON sets a key to v, encoded by encoding/json, as Set does.
func (m *Map) SetJSON(ctx context.Context, key string, v any, opts SetOptions) (Published, error) {
	value, err := JSON(v)
	if err != nil {
		return Published{}, fmt.Errorf("set %q in %q: %w", key, m.channel, err)
	}
	return m.Set(ctx, key, value, opts)
}

// DeleteOptions adjust one Delete.
type DeleteOptions struct {
	If   *uint64 // as in SetOptions
	Idem string  // as in PublishOptions
}

// Delete deletes a key and returns once that is committed. It is repeated as Publish is, and returns its errors. That there
// is no such key is none.
func (m *Map) Delete(ctx context.Context, key string, opts DeleteOptions) (Published, error) {
	del := wire.Delete{Channel: m.channel, Key: key, If: opts.If, Idem: opts.Idem}
	if del.Idem == "" {
		del.Idem = rand.Text()
	}
	if err := checkKey(m.channel, key, del.Idem); err != nil {
		return Published{}, fmt.Errorf("delete %q in %q: %w", key, m.channel, err)
	}
	at := stand{m.channel, key}
	m.c.beginChange(at)
	published, via, err := m.c.commit(ctx, del)
	m.c.endChange(at, outcome{published, via, err, nil})
	if err != nil {
		return Published{}, fmt.Errorf("delete %q in %q: %w", key, m.channel, err)
	}
	return published, nil
}

// Read reads the whole map, page by page, across reconnects, until ctx ends. A key that changes meanwhile has one of the
// values that it had.
func (m *Map) Read(ctx context.Context) (map[string]Change, error) {
	keys := make(map[string]Change)
	for since := ""; ; {
		page, err := m.c.History(ctx, m.channel, HistoryOptions{Since: since, Limit: wire.MaxPageLimit})
		if err != nil {
			return nil, err
		}
		if !page.Complete {
			// What was deleted since the last page is no longer known.
			clear(keys)
			since = ""
			continue
		}
		for _, p := range page.Publications {
			since = p.Position
			keys[p.Key] = changeOf(p)
			if p.Gone {
				delete(keys, p.Key)
			}
		}
		if !page.More {
			return keys, nil
		}
	}
}

// commit asks for a change and returns the answer, and the connection over which it came.
func (c *Client) commit(ctx context.Context, body wire.ClientBody) (Published, *link, error) {
	a := c.askUntil(ctx, body)
	if a.err != nil {
		return Published{}, a.via, a.err
	}
	published, ok := a.body.(wire.Published)
	if !ok {
		return Published{}, a.via, fmt.Errorf("the server answered with %T", a.body)
	}
	return published, a.via, nil
}

// checkKey refuses what would not survive being encoded.
func checkKey(channel, key, idem string) error {
	if err := wire.ValidateChannel(channel); err != nil {
		return err
	}
	if !utf8.ValidString(idem) {
		return wire.Errorf(wire.CodeBadFrame, "the idempotency id is not UTF-8")
	}
	return wire.ValidateMapKey(key)
}
