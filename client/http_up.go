package client

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/earshot/earshot/wire"
)

// Bounds of one POST, as the protocol has them, and so of what waits for the next.
const (
	maxPostBytes  = 2 * wire.MaxFrameBytes
	maxPostFrames = 256
	// postTimeout is how long one try may take. The server may hold a POST up for longer; a repeat waits with it.
	postTimeout = 10 * time.Second
)

// up is where an exchange takes frames to the server: what comes while a POST is under way goes with the next.
type up struct {
	news chan struct{} // holds a token when there is something to post
	room chan struct{} // holds a token when there may be room

	mu sync.Mutex
	// Guarded by mu.
	frames int
	text   []byte // lines
	ack    bool   // an acknowledgement is wanted, whether or not there are frames

	n int // POSTs so far; owned by post
}

func (u *up) begin() {
	u.news, u.room = make(chan struct{}, 1), make(chan struct{}, 1)
}

// send takes a frame to the next POST.
func (x *exchange) send(ctx context.Context, frame []byte) error {
	for {
		if x.up.add(frame) {
			return nil
		}
		select {
		case <-x.up.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-x.life.Done():
			return context.Cause(x.life)
		}
	}
}

func (u *up) add(frame []byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.frames >= maxPostFrames || len(u.text)+len(frame)+1 > maxPostBytes {
		return false
	}
	u.text = append(append(u.text, frame...), '\n')
	u.frames++
	poke(u.news)
	return true
}

// acknowledge has a POST say what was received.
func (u *up) acknowledge() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ack = true
	poke(u.news)
}

// take returns what the next POST brings, and whether there is to be one.
func (u *up) take() (text []byte, wanted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	wanted = u.ack || u.frames > 0
	text, u.text, u.frames, u.ack = u.text, nil, 0, false
	poke(u.room)
	return text, wanted
}

// poke leaves a token for whoever waits.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// post posts what there is, one POST at a time, until the exchange ends.
func (x *exchange) post() {
	for {
		select {
		case <-x.up.news:
		case <-x.life.Done():
			return
		}
		if text, wanted := x.up.take(); wanted {
			if err := x.deliver(x.life, text); err != nil {
				x.end(fmt.Errorf("write: %w", err))
				return
			}
		}
	}
}

// deliver makes one POST, and repeats it until the server has taken it.
func (x *exchange) deliver(ctx context.Context, text []byte) error {
	url := x.url + "?"
	if len(text) > 0 {
		x.up.n++
		url += fmt.Sprintf("n=%d&", x.up.n)
	}
	var retry retrying
	for {
		last, err := x.postOnce(ctx, fmt.Sprintf("%sack=%d", url, x.down.have.Load()), text)
		if last {
			return err
		}
		if !retry.after(ctx) {
			return cmp.Or(context.Cause(ctx), err)
		}
	}
}

// postOnce makes one try, and reports whether it is the last: because the server has taken it, or, with an error, never will.
func (x *exchange) postOnce(ctx context.Context, url string, text []byte) (last bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	resp, err := x.do(ctx, http.MethodPost, url, text)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return true, nil
	}
	err = answered(resp)
	return err != nil, err
}
