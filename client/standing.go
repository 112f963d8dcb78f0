package client

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/earshot/earshot/wire"
)

// maxStanding is how many keys and presences a client says again: as many as a server lets a session own.
const maxStanding = 256

// stand names what a session holds at the server: a key of a map, or, with no key, its presence in a channel.
type stand struct{ channel, key string }

// standing is what is to be so for as long as the client is there: a key that it owns, or its presence in a channel. The
// server lets go of it when it misses the session for too long, so it is said again on each connection, in a way that
// changes nothing where nothing was lost.
type standing struct {
	stand
	body  wire.ClientBody // Set, without condition and id, or Join; nil: nothing is to be so
	until time.Time       // zero: no end
	under int             // changes without an answer: what they replace must not be said again after them
	on    *link           // the connection on which it is so, or was said again

	// Of a key.
	version uint64    // that this client gave it last
	session string    // whose key it is at that version; empty if that is not known
	attempt *wire.Set // to set it again; it is repeated as it is until it is answered
}

// outcome is how a change of what stands ended.
type outcome struct {
	published Published
	via       *link // over which the answer came; nil: there was none
	err       error
	now       *standing // what is so after a success; nil: nothing
}

// standingKey is what stands after set; nil unless the session owns the key.
func standingKey(set wire.Set, published Published) *standing {
	if !set.Own {
		return nil
	}
	s := &standing{version: published.Offset}
	if set.TTL > 0 {
		s.until = time.Now().Add(set.TTL)
	}
	set.If, set.Idem = nil, ""
	s.body = set
	return s
}

// beginChange notes that a change is under way.
func (c *Client) beginChange(at stand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.standing[at]
	if s == nil {
		s = &standing{stand: at}
		c.standing[at] = s
	}
	s.under++
}

// endChange notes how a change ended that beginChange announced.
func (c *Client) endChange(at stand, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.standing[at]
	s.under--
	s.settle(o)
	if len(c.standing) > maxStanding {
		c.expireStandingLocked()
	}
	switch {
	case s.under > 0:
	case s.body == nil:
		delete(c.standing, at)
	case len(c.standing) > maxStanding:
		c.log.Warn("too much to say again after a reconnect", "channel", at.channel)
		delete(c.standing, at)
	case c.link != nil && c.link != s.on:
		s.sayLocked(c, c.link)
	}
}

// settle applies an outcome.
func (s *standing) settle(o outcome) {
	var refused *Error
	switch {
	case o.err == nil && o.now != nil:
		s.body, s.until, s.version, s.attempt = o.now.body, o.now.until, o.now.version, nil
		s.on, s.session = o.via, o.via.welcome.Session
		if _, key := s.body.(wire.Set); key && o.published.Duplicate {
			s.on, s.session = nil, "" // an earlier try made it, perhaps in an earlier session
		}
	case o.err == nil, o.now == nil && !errors.As(o.err, &refused):
		s.body, s.attempt = nil, nil // deleted, or perhaps
	}
}

// expireStandingLocked forgets keys whose time is over.
func (c *Client) expireStandingLocked() {
	for at, s := range c.standing {
		if s.under == 0 && s.expired() {
			delete(c.standing, at)
		}
	}
}

func (s *standing) expired() bool { return !s.until.IsZero() && !time.Now().Before(s.until) }

// sayAgainLocked says on a new connection what stands. What is under way is said by those who do it.
func (c *Client) sayAgainLocked(l *link) {
	c.expireStandingLocked()
	for _, s := range c.standing {
		if s.under == 0 {
			s.sayLocked(c, l)
		}
	}
}

// sayLocked says it once. A key is set if this session should have it and it is not there; or, if an earlier session had
// it, in place of what that one set.
func (s *standing) sayLocked(c *Client, l *link) {
	s.on = l
	body := s.body
	if set, ok := s.body.(wire.Set); ok {
		if s.attempt == nil {
			s.tryLocked(set, l.welcome.Session)
		}
		body = *s.attempt
	}
	id := l.nextIDLocked()
	l.said[id] = s
	l.sendLocked(wire.ClientFrame{ID: id, Body: body})
}

// tryLocked chooses the next attempt to set the key again.
func (s *standing) tryLocked(set wire.Set, session string) {
	set.If, set.Idem = new(uint64(0)), rand.Text()
	if s.session != session {
		set.If = new(s.version)
	}
	if !s.until.IsZero() {
		set.TTL = max(time.Until(s.until).Truncate(time.Millisecond), time.Millisecond)
	}
	s.attempt = &set
}

// saidLocked takes the answer to what was said again.
func (s *standing) saidLocked(c *Client, l *link, p wire.Published) {
	if c.standing[s.stand] != s || s.attempt == nil {
		return
	}
	s.attempt, s.version = nil, p.Offset
	if !p.Duplicate {
		s.session = l.welcome.Session
		return
	}
	s.session = "" // an earlier try made it, perhaps in an earlier session
	if s.under == 0 {
		s.sayLocked(c, l)
	}
}

// unsaidLocked takes the refusal of what was said again.
func (s *standing) unsaidLocked(c *Client, l *link, e *Error) {
	if c.standing[s.stand] != s || s.under > 0 || s.body == nil {
		return
	}
	switch {
	case e.Code.Temporary():
		tries := backoff{base: c.opts.BackoffMax, max: c.opts.BackoffMax}
		l.tasks.Go(func() { c.sayLater(l, s, tries.after(e)) })
	case e.Code == wire.CodeVersionMismatch && s.attempt != nil:
		s.mismatchLocked(c, l)
	default:
		c.log.Warn("cannot be said again", "channel", s.channel, "code", e.Code, "reason", e.Reason)
		delete(c.standing, s.stand)
	}
}

// mismatchLocked decides what follows if the key has not the version that the attempt assumed.
func (s *standing) mismatchLocked(c *Client, l *link) {
	assumed := *s.attempt.If
	s.attempt = nil
	switch {
	case assumed != 0: // it is gone, or somebody else's
		set := s.body.(wire.Set)
		s.tryLocked(set, s.session)
		s.sayLocked(c, l)
	case s.session != l.welcome.Session: // it is somebody else's
		delete(c.standing, s.stand)
	}
}

// sayLater says it again after a while, unless the connection ended.
func (c *Client) sayLater(l *link, s *standing, wait time.Duration) {
	if sleep(l.ctx, wait) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == l && c.standing[s.stand] == s && s.under == 0 && s.body != nil {
		s.sayLocked(c, l)
	}
}
