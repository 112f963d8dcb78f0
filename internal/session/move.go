package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/earshot/earshot/wire"
)

// Passport is what another node needs in order to go on with a link and its session. It holds secrets of the client.
type Passport struct {
	Session string
	User    string
	Secret  [16]byte
	Sender  string
	Life    int32
	Owned   []belonging
	Places  []place
	Said    []byte // frames that wait to be sent, as the link's encoder wrote them
}

// belonging is a key that the session owns.
type belonging struct {
	Channel, Key string
	Digest       uint64
	Until        time.Time
	Run          string // of the node where it was set last: it goes with that
}

// place is a subscription and where it is.
type place struct {
	wire.Subscribe
	Unsaid bool
}

// Errors of a move.
var (
	// ErrBusy says that a link has something under way that cannot move with it.
	ErrBusy = errors.New("requests of the session are under way")
	// ErrOver says that the link has ended.
	ErrOver = errors.New("the link has ended")
	// errOther says that a client is not who it was.
	errOther = errors.New("the client is another user now")
)

// settleEvery is how often a link that is about to move is looked at.
const settleEvery = 5 * time.Millisecond

// Depart ends the link and its session on this node and returns what another node needs to go on with them. It waits until
// ctx ends for the requests that are under way; the caller sees to it that there will be no others. If it fails, nothing
// has changed.
func (l *Link) Depart(ctx context.Context) (Passport, error) {
	look := time.NewTicker(settleEvery)
	defer look.Stop()
	for {
		p, err := l.departNow()
		if !errors.Is(err, ErrBusy) {
			return p, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return Passport{}, err
		}
	}
}

func (l *Link) departNow() (Passport, error) {
	l.mu.Lock()
	if l.over || l.ending {
		l.mu.Unlock()
		return Passport{}, ErrOver
	}
	if l.publishing > 0 || l.calls.underWay() {
		l.mu.Unlock()
		return Passport{}, ErrBusy
	}
	p := Passport{Sender: l.sender, Said: bytes.Join(l.queue, nil)}
	for _, s := range l.subs {
		p.Places = append(p.Places, s.place())
	}
	l.over = true // nothing is said any more
	s := l.session
	l.mu.Unlock()
	if s != nil {
		s.emigrate(&p)
	}
	l.Lost()
	return p, nil
}

// underWay reports whether the client waits for the answer to a call.
func (c *calls) underWay() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made > 0
}

// place returns what takes the subscription up again elsewhere.
func (s *subscription) place() place {
	p := place{Unsaid: s.unsaid}
	p.Subscribe = wire.Subscribe{Channel: s.Channel(), Since: s.Position().String(), Last: s.last, NoEcho: s.noEcho}
	if s.pace != nil {
		p.Every = s.pace.every
	}
	return p
}

// emigrate ends the session here, without letting go of what it owns, and enters it in p.
func (s *Session) emigrate(p *Passport) {
	s.node.sessions.remove(s)
	here := s.node.run()
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Session, p.User, p.Secret, p.Life = s.id, s.user, s.secret, s.life
	for key, had := range s.owned {
		p.Owned = append(p.Owned, belonging{key.channel, key.key, had.digest, had.until, cmp.Or(had.run, here)})
	}
	s.owned, s.link, s.over = nil, nil, true
}

// Arrive goes on with a session of another node, before the link's first frame. The policy is asked again who the client is,
// by the hello with which it once came, and what it may read. A subscription that cannot go on is ended with its reason.
func (l *Link) Arrive(hello wire.Hello, p Passport) error {
	if p.Session == "" {
		return nil // it has not said who it is
	}
	ctx, cancel := l.node.requestContext()
	defer cancel()
	hello.Resume = ""
	who, err := l.node.Policy.Connect(ctx, *l.handshake, hello)
	if err != nil {
		return err
	}
	if who.User != p.User {
		return errOther
	}
	if l.immigrate(newSession(l.node, who), p); l.node.revoked(who.User, who.Claims) {
		l.session.discard()
		return errRevoked
	}
	if hello.Heartbeat > 0 {
		l.node.heartbeats.add(l, hello.Heartbeat)
	}
	for _, at := range p.Places {
		l.takeUp(at)
	}
	return nil
}

// immigrate makes s the session that p is of, and the link's own.
func (l *Link) immigrate(s *Session, p Passport) {
	s.id, s.secret, s.life = p.Session, p.Secret, p.Life
	for _, b := range p.Owned {
		if s.owned == nil {
			s.owned = make(map[ownedKey]*possession)
		}
		s.owned[ownedKey{b.Channel, b.Key}] = &possession{digest: b.Digest, until: b.Until, held: true, run: b.Run}
	}
	if len(p.Owned) > 0 && l.node.Peers != nil {
		l.node.abroad.Store(true)
	}
	s.attach(l)
	l.node.sessions.add(s)
	l.handshake, l.sender = nil, p.Sender
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session = s
}

// takeUp goes on with a subscription.
func (l *Link) takeUp(at place) {
	if err := l.subscribe(0, at.Subscribe); err != nil {
		refusal := l.protocolError(err)
		l.say(wire.ServerFrame{Body: wire.Unsubscribed{Channel: at.Channel, Code: refusal.Code, Reason: refusal.Reason}})
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.findLocked(at.Channel); i >= 0 {
		l.subs[i].unsaid = at.Unsaid
	}
}
