package earshot

import (
	"context"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// Whom says which sessions are meant, on all servers: those of a user, or one by its id. The zero value means none.
type Whom = session.Whom

// ErrUnconfirmed is the error of an order that not every server has said to have carried out.
var ErrUnconfirmed = session.ErrUnconfirmed

// Disconnect ends sessions for good. Their clients are told the reason, and do not come back by themselves.
//
// It is done on this server at once, and on all others when Disconnect returns nil. A server that is cut off from Redis does
// not answer: it is waited for until ctx ends, but at most for 10 s, and then the error is ErrUnconfirmed. Repeat the order until
// it is confirmed: nobody else does. One that is cut off for over 10 s is taken for dead, and not waited for; should it come
// back, it has not heard of the order.
func (s *Server) Disconnect(ctx context.Context, who Whom, reason string) error {
	return s.node.Do(ctx, session.Order{
		Whom: who, Action: session.Disconnect, Code: wire.CloseDisconnected, Reason: reason,
	})
}

// Unsubscribe ends the subscriptions that sessions have of a channel. Their clients are told the reason. Errors are those of
// Disconnect.
func (s *Server) Unsubscribe(ctx context.Context, who Whom, channel, reason string) error {
	return s.node.Do(ctx, session.Order{Whom: who, Action: session.Unsubscribe, Channel: channel, Reason: reason})
}

// Recheck asks the rules and OnSubscribe again about every subscription of sessions, and ends those that are no longer
// allowed: to be called when rights have changed. Errors are those of Disconnect.
func (s *Server) Recheck(ctx context.Context, who Whom) error {
	return s.node.Do(ctx, session.Order{Whom: who, Action: session.Recheck})
}
