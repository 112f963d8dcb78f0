package earshot

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// Message is what an application publishes. JSON and Bytes make one; the other fields may be set afterwards.
type Message struct {
	wire.Message
	// Idem, an idempotency id, makes a repeated publish harmless: the same id and message in the same channel is
	// committed once, for five minutes. Empty: every publish is committed.
	Idem string
	err  error
}

// JSON returns a message whose data is v as encoding/json writes it. Publish reports an error of that.
func JSON(v any) Message {
	text, err := json.Marshal(v)
	return Message{Message: wire.Message{Data: wire.JSONData(text)}, err: err}
}

// Bytes returns a message whose data is b, which must not be modified afterwards.
func Bytes(b []byte) Message { return Message{Message: wire.Message{Data: wire.BinaryData(b)}} }

// Receipt says where a message was committed.
type Receipt struct {
	Position   string // empty in a Pub channel that nobody listens to
	Offset     uint64
	Duplicate  bool // committed before under the same idempotency id
	Durability Durability
}

// Publish commits a message and returns once it is. Rules of access and hooks do not apply.
//
// Errors are *wire.ProtocolError for what is wrong with the message, or those of package engine, wrapped.
func (s *Server) Publish(ctx context.Context, channel string, m Message) (Receipt, error) {
	return s.commit(ctx, m, engine.Proposal{Channel: channel})
}

// commit completes p with m and waits for the outcome.
func (s *Server) commit(ctx context.Context, m Message, p engine.Proposal) (Receipt, error) {
	if m.err != nil {
		return Receipt{}, fmt.Errorf("commit to %q: %w", p.Channel, m.err)
	}
	ns, err := s.namespaces.of(p.Channel)
	if err != nil {
		return Receipt{}, err
	}
	if (ns.Kind == Map) != (p.Map != nil) {
		return Receipt{}, wire.Errorf(wire.CodeWrongKind, "Publish is for channels that are no maps, Set and Delete are for maps")
	}
	if err := wire.ValidateMessage(m.Message); err != nil {
		return Receipt{}, err
	}
	if err := ns.checkValue(m.Data); err != nil {
		return Receipt{}, err
	}
	p.Idem, p.Message = m.Idem, m.Message
	r, err := engine.PublishWait(ctx, s.engine, p)
	if err != nil {
		return Receipt{}, fmt.Errorf("commit to %q: %w", p.Channel, err)
	}
	return Receipt{
		Position: r.Position.String(), Offset: r.Position.Offset, Duplicate: r.Duplicate, Durability: r.Durability,
	}, nil
}

// HistoryRequest selects a page of a log. At most one of Since and Before is set; with neither, it is the newest page.
type HistoryRequest struct {
	Since  string // a position: read what follows it
	Before string // a position: read what came before it
	Limit  int    // at most this many publications, up to 500; zero: 50. A page also ends at 48 KB
}

// History reads a page of a log. Rules of access do not apply.
func (s *Server) History(ctx context.Context, channel string, r HistoryRequest) (wire.Page, error) {
	if _, err := s.namespaces.of(channel); err != nil {
		return wire.Page{}, err
	}
	switch {
	case r.Limit < 0 || r.Limit > wire.MaxPageLimit:
		return wire.Page{}, wire.Errorf(wire.CodeBadFrame, "Limit is from 0 to %d", wire.MaxPageLimit)
	case r.Since != "" && r.Before != "":
		return wire.Page{}, wire.Errorf(wire.CodeBadFrame, "only one of Since and Before may be set")
	}
	req := wire.History{Channel: channel, Since: r.Since, Before: r.Before, Limit: r.Limit}
	page, err := session.ReadPage(ctx, s.engine, req)
	if err != nil {
		return wire.Page{}, fmt.Errorf("history of %q: %w", channel, err)
	}
	return page, nil
}
