package transport

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// upward is the order of an exchange's POSTs: one is under way at a time.
type upward struct {
	mu   sync.Mutex
	n    uint64        // the number of the newest; guarded by mu
	done chan struct{} // closed once its frames are taken; nil before the first; guarded by mu
}

// errOrder is the answer to a number that is neither that of the newest POST nor the next.
var errOrder = wire.Errorf(wire.CodeBadFrame, "n is neither that of the last POST nor the next, or another is under way")

// begin notes that POST n is under way. A repeat of the newest is told when that is done.
func (u *upward) begin(n uint64) (done chan struct{}, first bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case n == u.n && u.done != nil:
		return u.done, false, nil
	case n != u.n+1 || !u.idleLocked():
		return nil, false, errOrder
	}
	u.n, u.done = n, make(chan struct{})
	return u.done, true, nil
}

func (u *upward) idleLocked() bool {
	if u.done == nil {
		return true
	}
	select {
	case <-u.done:
		return true
	default:
		return false
	}
}

// serve has the link serve the frames of POST n, once.
func (x *exchange) serve(ctx context.Context, n uint64, frames [][]byte) error {
	done, first, err := x.up.begin(n)
	if err != nil {
		return err
	}
	if !first {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(done)
	for _, text := range frames {
		receive(x.link, text)
	}
	return nil
}

// receive decodes one frame for the session. What can't be decoded is answered, as over WebSocket.
func receive(link *session.Link, text []byte) {
	frame, err := wire.JSON.DecodeClientFrame(text)
	if err != nil {
		link.Refuse(frame.ID, err)
		return
	}
	link.Receive(frame)
}

// post is what a POST brings.
type post struct {
	n      uint64 // zero: no frames
	ack    uint64
	frames [][]byte
}

// post takes what a POST brings.
func (x *exchange) post(ctx context.Context, p post) error {
	if err := x.hear(p.ack); err != nil {
		return err
	}
	if p.n == 0 {
		return nil
	}
	return x.serve(ctx, p.n, p.frames)
}

// up takes the frames of a POST.
func (t *HTTP) up(w http.ResponseWriter, r *http.Request, sid string) {
	values := r.URL.Query()
	n, err := numberOf(values, "n")
	ack, err2 := numberOf(values, "ack")
	if err := cmp.Or(err, err2); err != nil {
		refuse(w, err)
		return
	}
	frames, failure := readFrames(w, r)
	if failure == nil && n == 0 && len(frames) > 0 {
		failure = wire.Errorf(wire.CodeBadFrame, "a POST with frames is numbered by n, from 1")
	}
	if failure != nil {
		refuseError(w, failure)
		return
	}
	x := t.find(sid)
	if x == nil {
		refuse(w, errNoExchange)
		return
	}
	if err := x.post(r.Context(), post{n, ack, frames}); err != nil {
		refuseError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
