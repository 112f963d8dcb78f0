package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// When those may come back for whom there is no room, or no server.
const (
	overloadedDelay = 5 * time.Second
	drainingDelay   = time.Second
)

// open begins an exchange with the hello that the body may hold, and answers with the sid. If the hello is refused, there
// is no exchange.
func (t *HTTP) open(w http.ResponseWriter, r *http.Request) {
	if t.node.Draining() {
		sendAway(w, wire.CloseDraining, drainingDelay)
		return
	}
	hello, err := readHello(w, r)
	if err != nil {
		refuseError(w, err)
		return
	}
	x := newExchange()
	x.link = t.node.NewLink(x, lines{wire.JSON}, handshake(r))
	if !t.add(x) {
		refuseError(w, errFull)
		return
	}
	x.link.Connected()
	if hello != nil {
		x.remember(hello.Body)
		x.link.Receive(*hello)
	}
	said := x.firstWords()
	if refusal := refusalIn(said); refusal != nil {
		t.take(x.sid)
		x.end()
		refuse(w, refusal)
		return
	}
	b := newBody(w)
	defer b.end()
	opened := fmt.Appendf(nil, `{"open":{"sid":%q,"linger_ms":%d}}`+"\n", x.sid, linger.Milliseconds())
	b.whole(append(opened, bytes.Join(said, nil)...))
}

// handshake is what r says of who asks.
func handshake(r *http.Request) session.Handshake {
	return session.Handshake{RemoteAddr: r.RemoteAddr, Header: r.Header}
}

// errFull says that there are as many exchanges as there may be.
var errFull = errors.New("there are as many exchanges as there may be")

// errNotHello is the answer to a body that opens with something else.
var errNotHello = wire.Errorf(wire.CodeBadFrame, "a body that opens holds one hello, or nothing")

// readHello returns the hello in the body, or nil if that is empty.
func readHello(w http.ResponseWriter, r *http.Request) (*wire.ClientFrame, error) {
	frames, err := readFrames(w, r)
	switch {
	case err != nil:
		return nil, err
	case len(frames) == 0:
		return nil, nil
	case len(frames) > 1:
		return nil, errNotHello
	}
	frame, err := wire.JSON.DecodeClientFrame(frames[0])
	if err != nil {
		return nil, err
	}
	if _, ok := frame.Body.(wire.Hello); !ok {
		return nil, errNotHello
	}
	return &frame, nil
}

// firstWords returns what the session says before there is a GET.
func (x *exchange) firstWords() [][]byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over {
		x.pullLocked()
	}
	return x.held
}

// refusalIn returns the error that the frames are, or nil.
func refusalIn(frames [][]byte) *wire.ProtocolError {
	for _, line := range frames {
		frame, err := wire.JSON.DecodeServerFrame(line)
		if e, ok := frame.Body.(wire.Error); err == nil && ok {
			return &wire.ProtocolError{Code: e.Code, Reason: e.Reason, RetryAfter: e.RetryAfter}
		}
	}
	return nil
}
