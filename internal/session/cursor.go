package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// cursorMove is a read cursor on its way: how far a user has read the log of, as the key of its read map is to say.
type cursorMove struct {
	engine engine.Log
	of     string
	to     engine.Position
	key    string
	set    engine.Proposal // without the change of the key
}

// moveCursor moves a read cursor and answers once that is committed. Other devices of the user may move it at the same time,
// on other nodes too: whichever is furthest stays. The client's frames behind this one wait, as they do for a subscription.
func (l *Link) moveCursor(ctx context.Context, id uint64, s wire.Set, of string) error {
	if s.If != nil || s.TTL != 0 || s.Own {
		return wire.Errorf(wire.CodeBadFrame, "a read cursor takes no if, ttl_ms or own")
	}
	cursor, to, err := parseCursor(s.Data)
	if err != nil {
		return err
	}
	m := cursorMove{engine: l.node.Engine, of: of, to: to, key: s.Key, set: engine.Proposal{
		Channel: s.Channel, User: l.session.user, Sender: l.sender,
		Message: wire.Message{Data: cursor.Data()},
	}}
	answer, err := m.make(ctx)
	if err != nil {
		return err
	}
	l.answer(id, answer)
	return nil
}

// parseCursor reads the value of a read map.
func parseCursor(value wire.Data) (wire.ReadCursor, engine.Position, error) {
	cursor, err := wire.ParseReadCursor(value)
	if err != nil {
		return cursor, engine.Position{}, err
	}
	at, err := engine.ParsePosition(cursor.Position)
	if err == nil && at.Offset != cursor.Offset {
		err = engine.ErrBadPosition
	}
	return cursor, at, err
}

// make repeats compare-and-set until the map has the cursor, or one that is as far. Another device that is faster each time
// ends that: then the map has a cursor that is further.
func (m *cursorMove) make(ctx context.Context) (wire.Published, error) {
	for {
		held, err := m.engine.Key(ctx, m.set.Channel, m.key)
		if err != nil {
			return wire.Published{}, fmt.Errorf("read a cursor: %w", err)
		}
		if held != nil && !m.isBeyond(held) {
			return wire.Published{
				Channel: m.set.Channel, Position: held.Position.String(), Offset: held.Offset, Duplicate: true,
			}, nil
		}
		answer, err := m.replace(ctx, held)
		if !errors.Is(err, engine.ErrVersionMismatch) {
			return answer, err
		}
	}
}

// isBeyond reports whether the cursor is further than what the key holds: in the same epoch of the log by its offset, else
// always, because replace takes only positions of the epoch that the log has now.
func (m *cursorMove) isBeyond(held *engine.Publication) bool {
	_, at, err := parseCursor(held.Data)
	return err != nil || at.Epoch != m.to.Epoch || at.Offset < m.to.Offset
}

// replace sets the key if it still is what was held. The log is asked after the key was read, so that a cursor of an epoch
// that ended meanwhile cannot replace one of the next.
func (m *cursorMove) replace(ctx context.Context, held *engine.Publication) (wire.Published, error) {
	if err := m.verify(ctx); err != nil {
		return wire.Published{}, err
	}
	version := uint64(0)
	if held != nil {
		version = held.Offset
	}
	proposal := m.set
	proposal.Map = &engine.MapChange{Key: m.key, IfVersion: &version}
	r, err := engine.PublishWait(ctx, m.engine, proposal)
	if err != nil {
		return wire.Published{}, fmt.Errorf("set a cursor: %w", err)
	}
	return published(m.set.Channel, r), nil
}

// verify returns engine.ErrBadPosition unless the position is, or was before retention dropped it, one of the log.
func (m *cursorMove) verify(ctx context.Context) error {
	page, err := m.engine.History(ctx, m.of, engine.Query{Since: &m.to, Limit: 1})
	if err != nil {
		return fmt.Errorf("look a cursor up: %w", err)
	}
	if !page.Complete && !page.Evicted {
		return engine.ErrBadPosition
	}
	return nil
}
