package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Whom says which sessions an order is for: those of a user, those with a token of an id, or one by its id. The zero value is for none.
type Whom struct {
	User    string `json:"user,omitempty"`
	Token   string `json:"token,omitempty"` // the token's jti
	Session string `json:"session,omitempty"`
}

func (w Whom) includes(s *Session) bool {
	switch {
	case w.User != "" && w.User == s.user, w.Session != "" && w.Session == s.id:
		return true
	case w.Token == "":
		return false
	}
	claims := s.Claims()
	return claims != nil && claims.ID == w.Token
}

// Order is what the application wants done with sessions, wherever they are. Nodes tell it to each other as JSON.
type Order struct {
	Whom
	Action  Action    `json:"action"`
	Channel string    `json:"channel,omitempty"` // of Unsubscribe
	Code    wire.Code `json:"code,omitempty"`    // of Disconnect: a close code
	Reason  string    `json:"reason,omitempty"`
}

// Action is what an order is for.
type Action string

// The actions.
const (
	Disconnect  Action = "disconnect"  // end the session for good
	Unsubscribe Action = "unsubscribe" // end the subscription of a channel
	Recheck     Action = "recheck"     // end the subscriptions that the policy no longer allows
)

// Do carries out an order on this node and tells it to the others. It returns once all of them have confirmed it, or an error
// when ctx, or the node's request timeout, has ended before: ErrUnconfirmed, if some did not.
func (n *Node) Do(ctx context.Context, o Order) error {
	n.DoHere(o)
	if n.Peers == nil {
		return nil
	}
	if err := n.order(ctx, o); err != nil {
		return fmt.Errorf("tell the other nodes to %s: %w", o.Action, err)
	}
	return nil
}

// order tells the others an order, and asks whether they heard it: a message that a node misses is not repeated, while one
// that is asked may have to wait for others' answers.
func (n *Node) order(ctx context.Context, o Order) error {
	message, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode order: %w", err)
	}
	if err := n.Peers.Tell(ctx, "", message); err != nil {
		return err
	}
	inquiry, err := json.Marshal(question{Order: &o})
	if err != nil {
		return fmt.Errorf("encode question: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, n.RequestTimeout)
	defer cancel()
	survey, err := n.Peers.Survey(ctx, inquiry)
	if err == nil && len(survey.Missing) > 0 {
		err = fmt.Errorf("%w: %d of %d nodes", ErrUnconfirmed, len(survey.Missing), len(survey.Missing)+len(survey.Answers))
	}
	return err
}

// ErrUnconfirmed: an order was given, and not every node said that it had carried it out.
var ErrUnconfirmed = errors.New("not confirmed")

// DoHere carries out an order on this node only.
func (n *Node) DoHere(o Order) {
	for _, s := range n.sessions.all(o.includes) {
		switch o.Action {
		case Disconnect:
			s.Disconnect(o.Code, o.Reason)
		case Unsubscribe:
			s.endSubscription(o.Channel, wire.CodeRejected, o.Reason)
		case Recheck:
			n.working.Go(s.recheck)
		}
	}
}

// Told implements engine.NodeHandler: another node passes an order on.
func (n *Node) Told(from string, message []byte) {
	var o Order
	if err := json.Unmarshal(message, &o); err != nil {
		n.Log.Warn("another node's order makes no sense", "node", from, "error", err)
		return
	}
	n.DoHere(o)
}

// Renewed implements engine.NodeHandler. The other nodes took this one for dead and deleted the keys that its sessions own:
// those sessions end, and their clients connect anew and set them again. What a session set before the node knew of it, as
// one does that comes back at the moment when a stopped process goes on, nobody else would delete: it goes with its session.
func (n *Node) Renewed(engine.Node) {
	for _, s := range n.sessions.all((*Session).ownsAny) {
		s.Disconnect(wire.CloseReconnect, "")
	}
}

// question is a call to a session that is on another node, and reply its answer; without Found, the session is not there.
// A question with an errand is for the other node's transport; one with an order asks that it be carried out, perhaps again.
type (
	question struct {
		Errand     []byte `json:",omitempty"`
		Order      *Order `json:",omitempty"`
		Session    string
		Invocation wire.Invocation
	}
	reply struct {
		Found  bool
		Data   wire.Data
		Code   wire.Code
		Reason string
	}
)

// Asked implements engine.NodeHandler.
func (n *Node) Asked(ctx context.Context, from string, message []byte) []byte {
	var q question
	if err := json.Unmarshal(message, &q); err != nil {
		n.Log.Warn("another node's question makes no sense", "node", from, "error", err)
		return nil
	}
	if q.Errand != nil && n.errands != nil {
		return n.errands(ctx, q.Errand)
	}
	if q.Order != nil {
		n.DoHere(*q.Order)
		return []byte("{}")
	}
	answer, err := json.Marshal(n.replyTo(ctx, q))
	if err != nil {
		n.Log.Error("cannot encode an answer to another node", "node", from, "error", err)
		return nil
	}
	return answer
}

func (n *Node) replyTo(ctx context.Context, q question) reply {
	if n.sessions.linkOf(q.Session) == nil {
		return reply{}
	}
	data, err := n.askHere(ctx, q.Session, q.Invocation)
	var refusal *wire.ProtocolError
	switch {
	case err == nil:
		return reply{Found: true, Data: data}
	case errors.As(err, &refusal):
		return reply{Found: true, Code: refusal.Code, Reason: refusal.Reason}
	}
	return reply{Found: true, Code: wire.CodeTimeout}
}

// ServeErrands has f answer what the transports of other nodes ask. It is called at most once, before Run.
func (n *Node) ServeErrands(f func(ctx context.Context, errand []byte) []byte) { n.errands = f }

// SendErrand asks the transports of all nodes, and returns what they answered.
func (n *Node) SendErrand(ctx context.Context, errand []byte) (engine.Survey, error) {
	if n.Peers == nil {
		return engine.Survey{}, nil
	}
	message, err := json.Marshal(question{Errand: errand})
	if err != nil {
		return engine.Survey{}, fmt.Errorf("encode errand: %w", err)
	}
	survey, err := n.Peers.Survey(ctx, message)
	if err != nil {
		return engine.Survey{}, fmt.Errorf("ask the transports of all nodes: %w", err)
	}
	return survey, nil
}

// askElsewhere calls a session that is not on this node.
func (n *Node) askElsewhere(ctx context.Context, session string, c wire.Invocation) (wire.Data, error) {
	message, err := json.Marshal(question{Session: session, Invocation: c})
	if err != nil {
		return wire.Data{}, fmt.Errorf("encode question: %w", err)
	}
	survey, err := n.Peers.Survey(ctx, message)
	if err != nil {
		return wire.Data{}, fmt.Errorf("ask the other nodes for session %q: %w", session, err)
	}
	for _, answer := range survey.Answers {
		var r reply
		if err := json.Unmarshal(answer, &r); err != nil || !r.Found {
			continue
		}
		if r.Code != 0 {
			return wire.Data{}, &wire.ProtocolError{Code: r.Code, Reason: r.Reason}
		}
		return r.Data, nil
	}
	if len(survey.Missing) > 0 {
		return wire.Data{}, &wire.ProtocolError{Code: wire.CodeTimeout, Reason: "a server that may have the session did not answer"}
	}
	return wire.Data{}, &wire.ProtocolError{Code: wire.CodeNoSession}
}
