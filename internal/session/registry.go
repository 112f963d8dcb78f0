package session

import (
	"slices"
	"sync"
	"time"
)

// lingering bounds the sessions without a connection.
const (
	// linger is how long a session without a connection can be resumed.
	linger = 5 * time.Minute
	// maxDetached is how many such sessions are kept; beyond, those that were left first end.
	maxDetached = 50_000
)

// registry knows the node's sessions.
type registry struct {
	mu       sync.Mutex
	byID     map[string]*Session
	detached []departure // in the order of their times
	expiring deadlines   // of sessions in byID
}

// departure says that a session lost its connection.
type departure struct {
	session *Session
	at      time.Time
}

func (r *registry) add(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = make(map[string]*Session)
	}
	r.byID[s.id] = s
	r.expiring.set(s, s.until())
}

// reschedule notes that the session has another token.
func (r *registry) reschedule(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[s.id] == s {
		r.expiring.set(s, s.until())
	}
}

// expired returns the sessions whose token is over, each once.
func (r *registry) expired(now time.Time) []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.expiring.take(now)
}

func (r *registry) remove(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeLocked(s)
}

func (r *registry) removeLocked(s *Session) {
	delete(r.byID, s.id)
	r.expiring.remove(s)
}

// find returns the session that secret names, or nil.
func (r *registry) find(secret string) *Session {
	r.mu.Lock()
	s := r.byID[idOf(secret)]
	r.mu.Unlock()
	if s == nil || !s.knows(secret) {
		return nil
	}
	return s
}

// all returns the sessions for which want holds.
func (r *registry) all(want func(*Session) bool) []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*Session
	for _, s := range r.byID {
		if want(s) {
			found = append(found, s)
		}
	}
	return found
}

// linkOf returns the connection of the session id, or nil.
func (r *registry) linkOf(id string) *Link {
	r.mu.Lock()
	s := r.byID[id]
	r.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.connection()
}

// left notes that s lost its connection.
func (r *registry) left(s *Session, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.detached = append(r.detached, departure{s, now})
}

// sweep ends the sessions that have been without a connection for too long.
func (r *registry) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(r.detached) {
		s, crowded := r.detached[n].session, len(r.detached)-n > maxDetached
		if now.Sub(r.detached[n].at) < linger && !crowded {
			break
		}
		// It may have come back and left again since: then it stands further behind, too.
		if s.goneFor(linger) || crowded && !s.Connected() {
			r.removeLocked(s)
		}
		n++
	}
	if n > 0 {
		r.detached = slices.Clone(r.detached[n:])
	}
}
