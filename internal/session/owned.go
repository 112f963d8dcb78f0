package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

const (
	// leaveGrace is how long the keys of a session without a connection stay, so that a reload is no leave and join.
	leaveGrace = 10 * time.Second
	// maxOwned is how many keys one session may own.
	maxOwned = 256
)

// ownedKey is a key of a map that vanishes with a session.
type ownedKey struct{ channel, key string }

// own notes that the session owns key, with a digest of its value or zero, and reports whether it may.
func (s *Session) own(key ownedKey, digest uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.owned[key]; !ok && (len(s.owned) >= maxOwned || s.over) {
		return false
	}
	if s.owned == nil {
		s.owned = make(map[ownedKey]uint64)
	}
	s.owned[key] = digest
	return true
}

// owns reports whether the session owns key with that digest of its value.
func (s *Session) owns(key ownedKey, digest uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return digest != 0 && s.owned[key] == digest
}

func (s *Session) ownsAny() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owned) > 0
}

func (s *Session) disown(key ownedKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.owned, key)
}

// release takes what the session owns.
func (s *Session) release() []ownedKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []ownedKey
	for key := range s.owned {
		keys = append(keys, key)
	}
	s.owned = nil
	return keys
}

// graces are the sessions that lost their connection and may own keys, in the order of their times.
type graces struct {
	mu      sync.Mutex
	waiting []departure
}

// begin gives s until leaveGrace from now to come back, if it owns anything.
func (g *graces) begin(s *Session, now time.Time) {
	if !s.ownsAny() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, departure{s, now})
}

// over returns the sessions whose time is over.
func (g *graces) over(now time.Time) (left []*Session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < len(g.waiting) && now.Sub(g.waiting[n].at) >= leaveGrace {
		// It may have come back and left again since: then it stands further behind, too.
		if s := g.waiting[n].session; s.goneFor(leaveGrace) {
			left = append(left, s)
		}
		n++
	}
	g.waiting = slices.Delete(g.waiting, 0, n)
	return left
}

// releases deletes the keys of sessions that are gone. What the engine cannot commit now is tried again, as a key that
// stayed would be a ghost.
type releases struct {
	engine engine.Log

	mu      sync.Mutex
	waiting []release // at most maxOwned for each session
}

type release struct {
	ownedKey
	owner string
}

// add has the keys that s owns deleted.
func (r *releases) add(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range s.release() {
		r.waiting = append(r.waiting, release{key, s.id})
	}
}

// sweep proposes the deletions that wait.
func (r *releases) sweep(ctx context.Context) {
	r.mu.Lock()
	waiting := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	for _, one := range waiting {
		change := &engine.MapChange{Key: one.key, Delete: true, IfOwner: one.owner}
		r.engine.Publish(ctx, engine.Proposal{Channel: one.channel, Map: change}, func(_ engine.Receipt, err error) {
			if errors.Is(err, engine.ErrUnavailable) || errors.Is(err, engine.ErrDiskFull) || errors.Is(err, context.DeadlineExceeded) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.waiting = append(r.waiting, one)
			}
		})
	}
}
