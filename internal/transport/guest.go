package transport

import (
	"net/http"
	"strings"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// guest is a session that lasts as long as one request, for those who know no frames. It is the link's transport.
type guest struct {
	t    *HTTP
	link *session.Link
	news chan struct{} // holds a token when there may be something to read
}

// receiveGuest begins a session for r, which the caller ends by leave, unless there are too many.
func (t *HTTP) receiveGuest(r *http.Request, e session.Encoder) *guest {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.exchanges)+t.guests >= maxExchanges {
		return nil
	}
	t.guests++
	g := &guest{t: t, news: make(chan struct{}, 1)}
	g.link = t.node.NewLink(g, e, handshake(r))
	return g
}

// ask serves one frame, after a hello with the request's token, if it has one. A token that is refused ends it.
func (g *guest) ask(r *http.Request, frame wire.ClientFrame) {
	g.link.Connected()
	if token := tokenOf(r); token != "" {
		g.link.Receive(wire.ClientFrame{Body: wire.Hello{Token: token}})
		if !g.link.Open() {
			return
		}
	}
	g.link.Receive(frame)
}

// tokenOf returns what the request says about who asks. A token in the URL is for EventSource alone, which sends no headers.
func tokenOf(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	if r.Method == http.MethodGet {
		return r.URL.Query().Get("token")
	}
	return ""
}

// Notify has the request look for news.
func (g *guest) Notify() {
	select {
	case g.news <- struct{}{}:
	default:
	}
}

// Close has the request end once it has what the link says.
func (g *guest) Close(wire.Code, string) { g.Notify() }

// leave ends the session.
func (g *guest) leave() {
	g.link.Discard()
	g.t.mu.Lock()
	defer g.t.mu.Unlock()
	g.t.guests--
}

// expectGuest checks what every request of a guest has to be, and answers it if it is not so.
func (t *HTTP) expectGuest(w http.ResponseWriter, r *http.Request, method string) bool {
	if !t.admit(w, r) {
		return false
	}
	if r.Method != method {
		w.Header().Set("Allow", method)
		http.Error(w, "this is for "+method, http.StatusMethodNotAllowed)
		return false
	}
	if t.node.Draining() {
		sendAway(w, wire.CloseDraining, drainingDelay)
		return false
	}
	return true
}

// checked returns a frame as the codec reads it, so that what is wrong with it is found as in every other frame.
func checked(body wire.ClientBody) (wire.ClientFrame, error) {
	return wire.JSON.DecodeClientFrame(wire.JSON.AppendClientFrame(nil, wire.ClientFrame{ID: 1, Body: body}))
}
