package earshot

import (
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// Session is one client's conversation with the server. It outlives its connection by up to five minutes, so that a
// client that comes back finds it again. Values are comparable: two are equal if they are of the same session.
type Session struct{ s *session.Session }

// ID returns the session's public id.
func (s Session) ID() string { return s.s.ID() }

// User returns the identity that OnConnect gave; empty for an anonymous client.
func (s Session) User() string { return s.s.User() }

// Data returns what the application attached: Identity.Data, or what SetData set since.
func (s Session) Data() any { return s.s.Data() }

// SetData attaches data to the session, in place of what was attached before.
func (s Session) SetData(data any) { s.s.SetData(data) }

// Disconnect ends the session for good. The client is told the reason, and does not come back by itself.
func (s Session) Disconnect(reason string) { s.s.Disconnect(wire.CloseDisconnected, reason) }

// Sessions returns the sessions of a user on this node, or, for an empty user, of all clients.
func (s *Server) Sessions(user string) []Session {
	var found []Session
	for _, one := range s.node.Sessions(func(c *session.Session) bool { return user == "" || c.User() == user }) {
		found = append(found, Session{one})
	}
	return found
}

// Reject returns an error for OnConnect, OnSubscribe and OnPublish that reaches the client with code "rejected" and the
// reason. Every other error of a hook reaches it as "internal".
func Reject(reason string) error {
	return &wire.ProtocolError{Code: wire.CodeRejected, Reason: reason}
}

// Unauthorized returns an error for OnConnect that makes the client ask for a fresh token.
func Unauthorized(reason string) error {
	return &wire.ProtocolError{Code: wire.CodeUnauthorized, Reason: reason}
}

// Connected reports whether the client has a connection now. Without one, the session waits to be resumed.
func (s Session) Connected() bool { return s.s.Connected() }
