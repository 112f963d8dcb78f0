package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
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

// possession is what is known of a key that a session owns, or is about to.
type possession struct {
	digest uint64    // of its value; zero: not known
	until  time.Time // when it is gone for certain; zero: never
	under  int       // changes under way
	held   bool      // the map has had it, as far as is known
	run    string    // of the node where it was set last, if that was not this one
}

// own notes that the session is about to own key, and returns the owner's name for the engine. It reports false if the
// session owns too much, or has no connection: nothing would let go of the key. The outcome is to be told to settle.
func (s *Session) own(key ownedKey, as possession) (owner string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.owned[key]
	if p == nil {
		if s.over || s.link == nil || !s.mayOwnMoreLocked() {
			return "", false
		}
		if s.owned == nil {
			s.owned = make(map[ownedKey]*possession)
		}
		p = new(possession)
		s.owned[key] = p
	}
	p.digest, p.until = as.digest, as.until
	p.under++
	return s.ownerLocked(), true
}

// ownerLocked names the owner of the session's keys. Once they were let go of it is another one, so that a deletion which
// was proposed then does not meet what is set afterwards.
func (s *Session) ownerLocked() string { return s.id + "." + strconv.Itoa(int(s.life)) }

// mayOwnMoreLocked reports whether there is room for one more key, and forgets those whose time is over if there is none.
func (s *Session) mayOwnMoreLocked() bool {
	if len(s.owned) < maxOwned {
		return true
	}
	now := time.Now()
	maps.DeleteFunc(s.owned, func(_ ownedKey, p *possession) bool {
		return p.under == 0 && !p.until.IsZero() && now.After(p.until)
	})
	return len(s.owned) < maxOwned
}

// settle notes how a change ended that own announced. If the session has let go of its keys meanwhile, it lets go of this
// one again: the engine may have deleted it before it was there.
func (s *Session) settle(key ownedKey, owner string, err error) {
	refused := errors.Is(err, engine.ErrVersionMismatch) || errors.Is(err, engine.ErrTooManyKeys) || errors.Is(err, engine.ErrIdemReused)
	s.mu.Lock()
	defer s.mu.Unlock()
	if owner != s.ownerLocked() {
		if !refused {
			s.node.releases.put(release{key, owner})
		}
		return
	}
	p := s.owned[key]
	p.under--
	p.held = p.held || !refused
	if err == nil {
		p.run = ""
	} else {
		p.digest = 0 // it is not known what the map has: the next join must say it
	}
	if p.under == 0 && !p.held {
		delete(s.owned, key)
	}
}

// owns reports whether the session owns key with that digest of its value.
func (s *Session) owns(key ownedKey, digest uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.owned[key]
	return p != nil && digest != 0 && p.digest == digest
}

func (s *Session) ownsAny() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owned) > 0
}

// disown notes that the key was deleted, or set without an owner.
func (s *Session) disown(key ownedKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.owned[key]
	if p == nil {
		return
	}
	p.held, p.digest = false, 0
	if p.under == 0 {
		delete(s.owned, key)
	}
}

// release lets go of what the session owns.
func (s *Session) release() (keys []release) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.owned {
		keys = append(keys, release{key, s.ownerLocked()})
	}
	s.owned = nil
	s.life++
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
func (r *releases) add(s *Session) { r.put(s.release()...) }

func (r *releases) put(keys ...release) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, keys...)
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
