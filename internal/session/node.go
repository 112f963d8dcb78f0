package session

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// Handshake is what is known of a connection before it says hello.
type Handshake struct {
	RemoteAddr string
	Header     http.Header // of the HTTP request; nil once the session is open
}

// Policy decides who may do what. Its methods may take their time; their contexts end after the node's hook timeout.
// An error that is a *wire.ProtocolError reaches the client as it is; every other is "internal".
type Policy interface {
	Connect(ctx context.Context, h Handshake, hello wire.Hello) (Identity, error)
	Subscribe(ctx context.Context, s *Session, channel string) error
	History(ctx context.Context, s *Session, channel string) error
	// Publish may change what is published.
	Publish(ctx context.Context, s *Session, p *wire.Publish) error
	// Set and Delete are asked before a key of a map is changed, and may change how. Presence is asked before a client joins or
	// leaves a channel.
	Set(ctx context.Context, s *Session, c *wire.Set) error
	Delete(ctx context.Context, s *Session, c *wire.Delete) error
	Presence(ctx context.Context, s *Session, channel string) error
	// Call answers a call to the server; CallSession is asked before one is carried to another session.
	Call(ctx context.Context, s *Session, c wire.Call) (wire.Data, error)
	CallSession(ctx context.Context, s *Session, c wire.Call) error
}

// Config is what a Node needs.
type Config struct {
	Hub    *hub.Hub
	Engine engine.Engine
	Policy Policy
	Peers  engine.Nodes // the other nodes; nil if there are none
	Log    *slog.Logger
	// Revoked reports whether a user, or the token with these claims, may not be here any more. It is asked when a client
	// connects, resumes and refreshes, and again once its session can be found. It must not block. Nil: nobody is.
	Revoked func(user string, claims *auth.Claims) bool
	// HelloTimeout closes connections on which no session was opened for so long. Zero: never.
	HelloTimeout time.Duration
	// RequestTimeout bounds hooks, and reads of the engine, for one request. Zero: 10 s.
	RequestTimeout time.Duration
}

// Node holds the sessions and connections of one Earshot.
type Node struct {
	Config
	sessions   registry
	heartbeats heartbeats
	greeting   greeting
	graces     graces
	releases   releases
	answers    answers
	errands    func(ctx context.Context, errand []byte) []byte // set before Run
	abroad     atomic.Bool                                     // sessions with keys have moved here
	lookAbroad time.Time                                       // owned by Run

	// work is the context of what goes on beside the connections' reading goroutines, working those who do it.
	work    context.Context
	stop    context.CancelFunc
	working sync.WaitGroup

	mu       sync.Mutex
	links    map[*Link]struct{} // guarded by mu
	draining bool               // guarded by mu
	empty    chan struct{}      // closed once draining and without links; guarded by mu
}

// NewNode returns a Node without connections.
func NewNode(c Config) *Node {
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 10 * time.Second
	}
	n := &Node{Config: c, links: make(map[*Link]struct{}), empty: make(chan struct{})}
	n.releases.engine = c.Engine
	n.work, n.stop = context.WithCancel(context.Background())
	return n
}

// Run keeps time for all sessions: heartbeats, the deadline of hello, keys and the end of sessions that nobody resumed. It
// returns once the calls that are under way have ended.
func (n *Node) Run(ctx context.Context) error {
	defer n.working.Wait()
	defer n.stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			n.tick(ctx, now)
		}
	}
}

// tick does what is due this second.
func (n *Node) tick(ctx context.Context, now time.Time) {
	n.heartbeats.tick()
	n.greeting.sweep(now)
	n.sessions.sweep(now)
	n.expire(now)
	n.answers.sweep(now)
	n.watchAbroad(now)
	for _, s := range n.graces.over(now) {
		n.releases.add(s)
	}
	n.releases.sweep(ctx)
}

// left notes that s lost its connection.
func (n *Node) left(s *Session) {
	now := time.Now()
	n.sessions.left(s, now)
	n.graces.begin(s, now)
}

// NewLink returns a Link for a new connection; Connected must follow before its first frame.
func (n *Node) NewLink(t Transport, e Encoder, h Handshake) *Link {
	return &Link{node: n, transport: t, encoder: e, handshake: &h}
}

// Connected counts l among the node's connections. Once the node drains, the connection is told so and ends at once.
func (l *Link) Connected() {
	n := l.node
	n.mu.Lock()
	n.links[l] = struct{}{}
	draining := n.draining
	n.mu.Unlock()
	switch {
	case draining:
		l.end(wire.Bye{Code: wire.CloseDraining, Delay: drainSpread(0)})
	case n.HelloTimeout > 0:
		n.greeting.expect(l, time.Now().Add(n.HelloTimeout))
	}
}

// forget takes out a link that is over.
func (n *Node) forget(l *Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, l)
	if n.draining && len(n.links) == 0 {
		close(n.empty)
	}
}

// Sessions returns the open sessions for which want holds, those without a connection included.
func (n *Node) Sessions(want func(*Session) bool) []*Session { return n.sessions.all(want) }

// requestContext bounds the work for one request.
func (n *Node) requestContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), n.RequestTimeout)
}
