package session

import (
	"slices"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// ReasonRevoked is what a client is told whose user or token was revoked.
const ReasonRevoked = "the token or its user was revoked"

var errRevoked = &wire.ProtocolError{Code: wire.CodeUnauthorized, Reason: ReasonRevoked}

// Who returns what decides about the session's rights.
func (s *Session) Who() auth.Who {
	who := auth.Who{User: s.user}
	if claims := s.Claims(); claims != nil {
		who.Grants = claims.Grants
	}
	return who
}

// Claims returns what the session's token says; nil without one. They are read-only.
func (s *Session) Claims() *auth.Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims
}

// renew gives the session what a newer token of its user says, and reports whether the rights are others now.
func (s *Session) renew(claims *auth.Claims) (changed bool) {
	s.mu.Lock()
	before := s.claims
	s.claims = claims
	s.mu.Unlock()
	s.node.sessions.reschedule(s)
	return !sameGrants(before, claims)
}

func sameGrants(a, b *auth.Claims) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.EqualFunc(a.Grants, b.Grants, func(a, b auth.Grant) bool {
		return slices.Equal(a.Channels, b.Channels) && slices.Equal(a.Allow, b.Allow)
	})
}

// until returns when the session's token is over; zero without one.
func (s *Session) until() time.Time {
	if claims := s.Claims(); claims != nil {
		return claims.Until()
	}
	return time.Time{}
}

// expires returns how long the token is still good, as clients are told; zero without one.
func (s *Session) expires() time.Duration {
	claims := s.Claims()
	if claims == nil {
		return 0
	}
	return min(max(time.Until(claims.Expires), time.Millisecond), wire.MaxExpires)
}

// revoked reports whether a client that shows who must be refused.
func (n *Node) revoked(user string, claims *auth.Claims) bool {
	return n.Revoked != nil && n.Revoked(user, claims)
}
