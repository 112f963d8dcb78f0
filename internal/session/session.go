// Package session is one client's conversation with a node: hello, subscribe, publish, history, resume. It knows frames
// and slots of bytes, and no wire format or transport.
package session

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// Identity is who a client is, as the application said when it connected.
type Identity struct {
	User   string       // empty for an anonymous client
	Data   any          // what the application attaches to the session
	Claims *auth.Claims // what the client's token says; nil without one
}

// Session is one client's conversation with this node. It outlives its connection for a while, so that a client that
// comes back finds its id and the application's data again.
type Session struct {
	// Set at creation, then read-only.
	node   *Node
	id     string
	user   string
	secret [16]byte

	mu sync.Mutex
	// Guarded by mu.
	data   any
	claims *auth.Claims             // of the newest token; nil without one
	link   *Link                    // the connection; nil while there is none
	left   time.Time                // when the last connection was lost
	owned  map[ownedKey]*possession // keys of maps that vanish with the session; see own
	life   int32                    // how often the keys were let go of: see ownerLocked
	over   bool                     // ended for good
}

func newSession(n *Node, who Identity) *Session {
	s := &Session{node: n, user: who.User, data: who.Data, claims: who.Claims}
	var id [12]byte
	rand.Read(id[:])
	rand.Read(s.secret[:])
	s.id = base64.RawURLEncoding.EncodeToString(id[:])
	return s
}

// ID returns the session's public id: 16 characters, unique.
func (s *Session) ID() string { return s.id }

// User returns the identity that the application gave; empty for an anonymous client.
func (s *Session) User() string { return s.user }

// Data returns what the application attached.
func (s *Session) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData attaches data to the session, in place of what was attached before. It stays across reconnects of the client.
func (s *Session) SetData(data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = data
}

// Disconnect ends the session for good: the client is told code and reason, and not to come back if code is one of the
// 4000s. Codes that are not close codes of wire's table count as CloseDisconnected.
func (s *Session) Disconnect(code wire.Code, reason string) {
	if code < wire.CloseBadFrame {
		code = wire.CloseDisconnected
	}
	link := s.discard()
	if link != nil {
		link.end(wire.Bye{Code: code, Reason: reason})
	}
}

// discard ends the session and returns the connection that it had. Of its own the connection stays.
func (s *Session) discard() (link *Link) {
	s.node.sessions.remove(s)
	s.mu.Lock()
	link = s.link
	s.link, s.over = nil, true
	s.mu.Unlock()
	s.node.releases.add(s)
	return link
}

// resumeSecret returns what a client names in order to go on with the session.
func (s *Session) resumeSecret() string {
	return s.id + "." + base64.RawURLEncoding.EncodeToString(s.secret[:])
}

// knows reports whether secret is that of s.
func (s *Session) knows(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(secret), []byte(s.resumeSecret())) == 1
}

// attach makes link the session's connection and returns the one before. It fails if the session has ended.
func (s *Session) attach(link *Link) (before *Link, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, false
	}
	before, s.link = s.link, link
	return before, true
}

// detach leaves the session without a connection if link is still its own.
func (s *Session) detach(link *Link) (detached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != link {
		return false
	}
	s.link, s.left = nil, time.Now()
	return !s.over
}

// goneFor reports whether the session has had no connection for that long, or has ended.
func (s *Session) goneFor(age time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.link == nil && time.Since(s.left) >= age
}

// connection returns the session's connection, or nil.
func (s *Session) connection() *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// Connected reports whether the session has a connection.
func (s *Session) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link != nil
}

// idOf returns the session id that a resume secret names.
func idOf(secret string) string {
	id, _, _ := strings.Cut(secret, ".")
	return id
}
