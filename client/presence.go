package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/earshot/earshot/wire"
)

// Presence is who is in a channel.
type Presence struct {
	c       *Client
	channel string
}

// Presence returns the presence of a channel. It asks the server for nothing.
func (c *Client) Presence(channel string) *Presence { return &Presence{c, channel} }

// Join puts this client into the channel with a state of its own, or changes that state, and returns once that is
// committed. It stays until Leave, or until the client ends or is away for over 10 s; once it is back it joins again by
// itself. Errors are those of Publish.
func (p *Presence) Join(ctx context.Context, state Data) error {
	join := wire.Join{Channel: p.channel, Data: state}
	err := wire.ValidateMessage(Message{Data: state})
	if err == nil {
		err = p.change(ctx, join, &standing{body: join})
	}
	if err != nil {
		return fmt.Errorf("join %q: %w", p.channel, err)
	}
	return nil
}

// Leave takes this client out of the channel and returns once that is committed. Errors are those of Publish.
func (p *Presence) Leave(ctx context.Context) error {
	if err := p.change(ctx, wire.Leave{Channel: p.channel}, nil); err != nil {
		return fmt.Errorf("leave %q: %w", p.channel, err)
	}
	return nil
}

func (p *Presence) change(ctx context.Context, body wire.ClientBody, now *standing) error {
	if err := wire.ValidateChannel(p.channel); err != nil {
		return err
	}
	at := stand{channel: p.channel}
	p.c.beginChange(at)
	published, via, err := p.c.commit(ctx, body)
	p.c.endChange(at, outcome{published, via, err, now})
	return err
}

// Member is a session that is in a channel. A user with two sessions is there twice.
type Member struct {
	Session string
	User    string // empty for an anonymous client
	State   Data   // what the session says of itself
}

// PresenceEvent is what a watch of a presence tells: a Here, a Joined, an Updated or a Left.
type PresenceEvent interface{ presenceEvent() }

// Here says who is in the channel, by session, in place of all that was told before. It comes first, and again where the
// stream was broken.
type Here struct{ Members []Member }

// Joined says that a session came into the channel.
type Joined struct{ Member }

// Updated says that a session has another state.
type Updated struct{ Member }

// Left says that a session went. Its member has the state that was told last.
type Left struct{ Member }

func (Here) presenceEvent()    {}
func (Joined) presenceEvent()  {}
func (Updated) presenceEvent() {}
func (Left) presenceEvent()    {}

// PresenceWatch tells who is in a channel, who comes and who goes.
type PresenceWatch struct {
	watch   *Watch
	turn    chan struct{}     // held by the Next that is under way
	here    bool              // Here was told; guarded by turn
	members map[string]Member // that were told, by session; guarded by turn
}

// Watch asks who is in the channel and returns once the server delivers. Afterwards ctx has no effect. Errors are those of
// Map.Watch.
func (p *Presence) Watch(ctx context.Context) (*PresenceWatch, error) {
	w, err := p.c.Map(wire.PresenceMap(p.channel)).Watch(ctx, WatchOptions{})
	if err != nil {
		return nil, err
	}
	return &PresenceWatch{watch: w, turn: make(chan struct{}, 1), members: make(map[string]Member)}, nil
}

// Next waits for the next event: Here first, then who comes, changes and goes. To a consumer that is slow, who came and
// went again is not told, and of many states the newest is. Errors are those of Watch.Next.
func (w *PresenceWatch) Next(ctx context.Context) (PresenceEvent, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		ev, err := w.watch.Next(ctx)
		if err != nil {
			return nil, err
		}
		told, err := w.tell(ev)
		if told != nil || err != nil {
			return told, err
		}
	}
}

// tell returns what an event of the map means for the consumer, or nil if it is nothing yet.
func (w *PresenceWatch) tell(ev MapEvent) (PresenceEvent, error) {
	switch ev := ev.(type) {
	case Change:
		told, err := w.apply(ev)
		if !w.here {
			return nil, err
		}
		return told, err
	case Reset:
		w.here = false
		clear(w.members)
	case Synced:
		w.here = true
		bySession := slices.Sorted(maps.Keys(w.members))
		here := Here{Members: make([]Member, len(bySession))}
		for i, session := range bySession {
			here.Members[i] = w.members[session]
		}
		return here, nil
	}
	return nil, nil
}

func (w *PresenceWatch) apply(c Change) (PresenceEvent, error) {
	before, known := w.members[c.Key]
	switch {
	case c.Gone && !known:
		return nil, nil
	case c.Gone:
		delete(w.members, c.Key)
		return Left{before}, nil
	}
	m, err := memberOf(c)
	if err != nil {
		return nil, err
	}
	w.members[c.Key] = m
	if known {
		return Updated{m}, nil
	}
	return Joined{m}, nil
}

func memberOf(c Change) (Member, error) {
	var value struct {
		User  string          `json:"user"`
		State json.RawMessage `json:"state"`
		B64   *[]byte         `json:"b64"`
	}
	if err := c.Decode(&value); err != nil {
		return Member{}, err
	}
	m := Member{Session: c.Key, User: value.User, State: wire.JSONData(value.State)}
	if value.B64 != nil {
		m.State = wire.BinaryData(*value.B64)
	}
	return m, nil
}

// Events returns the stream as a sequence that ends with the first error.
func (w *PresenceWatch) Events(ctx context.Context) iter.Seq2[PresenceEvent, error] {
	return func(yield func(PresenceEvent, error) bool) {
		for {
			ev, err := w.Next(ctx)
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// Count returns how many sessions are in the channel, as far as has arrived: Next may not have told all of it yet.
func (w *PresenceWatch) Count() int { return w.watch.Len() }

// Close ends the watch: Next returns ErrClosed. It is idempotent.
func (w *PresenceWatch) Close() { w.watch.Close() }
