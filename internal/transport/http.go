package transport

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

const (
	// linger is how long an exchange outlives its last GET.
	linger = 30 * time.Second
	// maxExchanges bounds the exchanges and guests of a node.
	maxExchanges = 10_000
)

// HTTP serves sessions over plain HTTP: frames go down in the answers to GET and up in POST. See docs/reference/protocol.md.
type HTTP struct {
	node    *session.Node
	origins Origins
	log     *slog.Logger

	asking  chan struct{}  // holds a token for each errand that this node has under way
	errands sync.WaitGroup // what other nodes asked for and nobody waits for any more

	mu        sync.Mutex
	exchanges map[string]*exchange // guarded by mu, by sid
	moved     map[string]time.Time // when exchanges left this node; guarded by mu
	guests    int                  // guarded by mu
	stopped   bool                 // Run has ended; guarded by mu
}

// NewHTTP returns the handlers for node, open to pages of the allowed origins. Run must be called.
func NewHTTP(node *session.Node, origins Origins, log *slog.Logger) *HTTP {
	t := &HTTP{
		node: node, origins: origins, log: log,
		asking:    make(chan struct{}, maxErrands),
		exchanges: make(map[string]*exchange), moved: make(map[string]time.Time),
	}
	node.ServeErrands(t.runErrand)
	return t
}

// Run ends the exchanges that nobody asks for any more, and, when ctx ends, all of them.
func (t *HTTP) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			t.stop()
			return nil
		case now := <-tick.C:
			t.sweep(func(x *exchange) bool { return x.abandoned(now) })
			t.letGo(now)
			t.forgetMoved(now)
		}
	}
}

// stop ends what there is, and waits for what other nodes asked for.
func (t *HTTP) stop() {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.sweep(func(*exchange) bool { return true })
	t.errands.Wait()
}

// sweep ends the exchanges for which over holds.
func (t *HTTP) sweep(over func(*exchange) bool) {
	t.mu.Lock()
	var ended []*exchange
	for sid, x := range t.exchanges {
		if over(x) {
			delete(t.exchanges, sid)
			ended = append(ended, x)
		}
	}
	t.mu.Unlock()
	for _, x := range ended {
		x.end()
	}
}

// letGo tells links that nobody came for their last words. The words are held on.
func (t *HTTP) letGo(now time.Time) {
	t.mu.Lock()
	var untaken []*exchange
	for _, x := range t.exchanges {
		if x.untaken(now) {
			untaken = append(untaken, x)
		}
	}
	t.mu.Unlock()
	for _, x := range untaken {
		x.end()
	}
}

// forgetMoved forgets the exchanges that have arrived elsewhere by now.
func (t *HTTP) forgetMoved(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.moved, func(_ string, at time.Time) bool { return now.Sub(at) > rememberMoved })
}

// Frames serves the requests of exchanges. Rest is what the path has after the endpoint: nothing, a sid, or a sid and "close".
func (t *HTTP) Frames(w http.ResponseWriter, r *http.Request, rest string) {
	if !t.admit(w, r) {
		return
	}
	sid, action, _ := strings.Cut(rest, "/")
	switch {
	case sid == "" && action == "" && r.Method == http.MethodPost:
		t.open(w, r)
	case sid != "" && action == "" && r.Method == http.MethodGet:
		t.down(w, r, sid)
	case sid != "" && action == "" && r.Method == http.MethodPost:
		t.up(w, r, sid)
	case sid != "" && action == "close" && r.Method == http.MethodPost:
		t.close(w, sid)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "POST opens, GET and POST with a sid go on: see the protocol, over HTTP", http.StatusMethodNotAllowed)
	}
}

// add makes x known, unless there are too many.
func (t *HTTP) add(x *exchange) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.exchanges)+t.guests >= maxExchanges {
		return false
	}
	t.exchanges[x.sid] = x
	delete(t.moved, x.sid) // it may have been here before
	return true
}

func (t *HTTP) find(sid string) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exchanges[sid]
}

// take returns the exchange and forgets it.
func (t *HTTP) take(sid string) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.exchanges[sid]
	delete(t.exchanges, sid)
	return x
}

// close ends an exchange. It answers alike whether there was one.
func (t *HTTP) close(w http.ResponseWriter, sid string) {
	if x := t.take(sid); x != nil {
		x.end()
	}
	w.WriteHeader(http.StatusNoContent)
}

// sidBytes of randomness are in a sid: 128 bits.
const sidBytes = 16

// newSID returns a sid that nobody can guess.
func newSID() string {
	var b [sidBytes]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// plausible reports whether a node may have made such a sid.
func plausible(sid string) bool { return len(sid) == base64.RawURLEncoding.EncodedLen(sidBytes) }

// errNoExchange is the answer to a sid that is unknown, over, or another's: nothing tells them apart.
var errNoExchange = &wire.ProtocolError{Code: wire.CodeNoSession}
