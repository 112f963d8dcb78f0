package transport

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/earshot/earshot/wire"
)

// upward is the order of an exchange's POSTs: one is under way at a time.
type upward struct {
	mu   sync.Mutex
	n    uint64        // the number of the newest; guarded by mu
	done chan struct{} // closed once its frames are taken; nil before the first; guarded by mu
	away bool          // the exchange leaves this node; guarded by mu
}

// errOrder is the answer to a number that is neither that of the newest POST nor the next.
var errOrder = wire.Errorf(wire.CodeBadFrame, "n is neither that of the last POST nor the next, or another is under way")

// begin notes that POST n is under way. A repeat of the newest is told when that is done.
func (u *upward) begin(n uint64) (done chan struct{}, first bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.away:
		return nil, false, errMoving
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
		x.receive(text)
	}
	return nil
}

// receive decodes one frame for the session. What can't be decoded is answered, as over WebSocket.
func (x *exchange) receive(text []byte) {
	frame, err := wire.JSON.DecodeClientFrame(text)
	if err != nil {
		x.link.Refuse(frame.ID, err)
		return
	}
	x.remember(frame.Body)
	x.link.Receive(frame)
}

// remember keeps what another node needs in order to ask again who the client is.
func (x *exchange) remember(body wire.ClientBody) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch body := body.(type) {
	case wire.Hello:
		x.hello = body
	case wire.Refresh:
		x.hello.Token = body.Token
	}
}

// shut takes no POSTs from now on, and waits for the one that is under way. It returns the number of the newest.
func (u *upward) shut(ctx context.Context) (n uint64, err error) {
	u.mu.Lock()
	u.away = true
	n, done := u.n, u.done
	u.mu.Unlock()
	if done == nil {
		return n, nil
	}
	select {
	case <-done:
		return n, nil
	case <-ctx.Done():
		return 0, errBusy
	}
}

// open takes POSTs again.
func (u *upward) open() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.away = false
}

// resume goes on after POST n of another node.
func (u *upward) resume(n uint64) {
	if n > 0 {
		u.n, u.done = n, make(chan struct{})
		close(u.done)
	}
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
	if err := t.deliver(r.Context(), sid, post{n, ack, frames}); err != nil {
		refuseError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// deliver takes a POST to its exchange, which may be on another node.
func (t *HTTP) deliver(ctx context.Context, sid string, p post) error {
	if x := t.find(sid); x != nil {
		if err := x.post(ctx, p); !errors.Is(err, errMoving) {
			return err
		}
	}
	reply, err := t.send(ctx, errand{SID: sid, N: p.n, Ack: p.ack, Frames: p.frames})
	if err == nil && reply.Refusal != nil {
		return reply.Refusal
	}
	return err
}
