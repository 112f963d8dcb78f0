package client

import (
	"slices"
	"sync"
)

// Unread counts what a user has not read of a log: the publications after the user's read cursor that are not by the user.
// It asks the server for nothing: See is given what a subscription tells, with echoes, and Move what a watch of the cursors
// does. Its methods may be called concurrently.
type Unread struct {
	user  string
	limit int

	mu     sync.Mutex
	newest []seen // oldest first; guarded by mu
	cursor Place  // of the user, of whichever life of the log; guarded by mu
	readTo uint64 // offset of the cursor, once it was found to be of the log as it is now; guarded by mu
}

// seen is what is remembered of a publication.
type seen struct {
	Place
	mine bool
}

// NewUnread returns a count for user that looks at the newest limit publications, at least one. It takes some 100 bytes for
// each. Since is the place whose position the subscription names as Since; zero if it names none.
func NewUnread(user string, since Place, limit int) *Unread {
	u := &Unread{user: user, limit: max(1, limit)}
	if since != (Place{}) {
		u.newest = []seen{{since, true}} // nothing before it comes, and it does not count itself
	}
	return u
}

// See takes an event of the log. After a Reset, what was counted before no longer is.
func (u *Unread) See(ev Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch ev := ev.(type) {
	case Publication:
		u.newest = append(u.newest, seen{ev.Place(), ev.User == u.user && u.user != ""})
		u.newest = u.newest[max(0, len(u.newest)-u.limit):]
		if ev.Place() == u.cursor {
			u.readTo = u.cursor.Offset
		}
	case Reset:
		u.newest, u.readTo = nil, 0
	}
}

// Move takes a move of a read cursor; those of other users are left out.
func (u *Unread) Move(m CursorMove) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m.User != u.user {
		return
	}
	// One that is not found is of a publication that did not come yet, of one before the newest, or of a log that is no more:
	// if it is the first, See will find it.
	u.cursor = m.Place
	if slices.ContainsFunc(u.newest, func(s seen) bool { return s.Place == m.Place }) {
		u.readTo = m.Offset
	}
}

// Count returns how many are unread. More says that there may be others before those that are looked at.
func (u *Unread) Count() (n int, more bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range u.newest {
		if !s.mine && s.Offset > u.readTo {
			n++
		}
	}
	return n, len(u.newest) > 0 && u.newest[0].Offset > u.readTo+1
}
