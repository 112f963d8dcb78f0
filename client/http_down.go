package client

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/earshot/earshot/wire"
)

// acknowledgeEvery is how much comes before it is acknowledged by a POST.
const acknowledgeEvery = 32 << 10

// down is where an exchange reads the server's frames. But for have, one goroutine has it.
type down struct {
	have     atomic.Uint64 // frames that were received whole
	mode     Transport
	patience time.Duration // until a stream that does not begin becomes a poll; zero: for ever

	lines  *bufio.Reader // of the answer that is being read; nil between two
	answer io.Closer
	fresh  int // bytes since the last acknowledgement
	retry  retrying
}

// begin begins with the frames that came when the exchange was opened.
func (d *down) begin(text []byte, mode Transport, patience time.Duration) {
	d.mode, d.patience = mode, patience
	d.lines, d.answer = bufio.NewReader(bytes.NewReader(text)), io.NopCloser(nil)
}

// receive returns the next frame. An answer that ends, however it does, is continued by another.
func (x *exchange) receive(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(x.life, func() { cancel(context.Cause(x.life)) })()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if x.down.lines == nil {
			if err := x.ask(); err != nil {
				return nil, err
			}
		}
		line, err := x.line()
		if err != nil {
			if err := x.hangUp(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		if frame := x.down.frameIn(line); len(frame) > 0 {
			x.received(len(line))
			return frame, nil
		}
	}
}

// frameIn returns the frame that a line has, if any.
func (d *down) frameIn(line []byte) []byte {
	if d.mode == TransportEvents {
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok && !bytes.HasPrefix(line, []byte("{")) { // what came with the opening is no event
			return nil
		}
		line = data
	}
	return bytes.TrimSpace(line)
}

// received counts a frame, and has it acknowledged now and then.
func (x *exchange) received(size int) {
	d := &x.down
	d.have.Add(1)
	d.retry = retrying{}
	if d.fresh += size; d.fresh >= acknowledgeEvery && d.mode != TransportPoll {
		d.fresh = 0
		x.up.acknowledge()
	}
}

var errLongLine = errors.New("the server sent a frame that is too long")

// line returns the next line that is whole.
func (x *exchange) line() ([]byte, error) {
	var line []byte
	for {
		part, err := x.down.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case len(line) > wire.MaxServerFrameBytes:
			return nil, errLongLine
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// ask asks for what follows, until there is an answer.
func (x *exchange) ask() error {
	for {
		resp, err := x.get()
		if err == nil {
			x.heard()
			if resp.StatusCode == http.StatusOK {
				x.down.lines, x.down.answer = bufio.NewReader(hearing{resp.Body, x.heard}), resp.Body
				return nil
			}
			err = answered(resp)
			resp.Body.Close()
			if err != nil {
				return fmt.Errorf("read: %w", err)
			}
		}
		if !x.down.retry.after(x.life) {
			return fmt.Errorf("read: %w", cmp.Or(context.Cause(x.life), err))
		}
	}
}

// get makes one request. A stream that does not begin in time is given up for a poll, if that is wanted.
func (x *exchange) get() (*http.Response, error) {
	url := fmt.Sprintf("%s?ack=%d&mode=%s", x.url, x.down.have.Load(), x.down.mode)
	if x.down.patience == 0 || x.down.mode == TransportPoll {
		return x.do(x.life, http.MethodGet, url, nil)
	}
	ctx, cancel := context.WithCancel(x.life)
	late := time.AfterFunc(x.down.patience, cancel)
	resp, err := x.do(ctx, http.MethodGet, url, nil)
	if err == nil && late.Stop() {
		resp.Body = canceling{resp.Body, cancel}
		return resp, nil
	}
	cancel()
	if err == nil {
		resp.Body.Close()
		err = context.DeadlineExceeded
	}
	if x.life.Err() == nil && ctx.Err() != nil {
		x.down.mode = TransportPoll
	}
	return nil, err
}

// canceling is a body whose request ends with it.
type canceling struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c canceling) Close() error {
	c.cancel()
	return c.ReadCloser.Close()
}

// hangUp ends the answer that is being read, because of err. If another may follow, it returns nil in time for that.
func (x *exchange) hangUp(ctx context.Context, err error) error {
	d := &x.down
	_ = d.answer.Close() // what is missing of it comes again
	d.lines = nil
	switch {
	case errors.Is(err, io.EOF): // it was complete
		d.retry = retrying{}
		return nil
	case !errors.Is(err, errLongLine) && d.retry.after(ctx):
		return nil
	}
	return fmt.Errorf("read: %w", cmp.Or(context.Cause(ctx), err))
}
