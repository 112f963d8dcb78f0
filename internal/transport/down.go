package transport

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/earshot/earshot/wire"
)

const (
	// pollBytes is about how much one answer to a poll holds.
	pollBytes = 64 << 10
	// beatEvery is how long a streamed answer is silent before it shows that the connection is alive. Proxies cut at 60 s,
	// some at 30.
	beatEvery = 15 * time.Second
	// writeTimeout is how long an answer may take no byte.
	writeTimeout = 30 * time.Second

	maxWait     = 5 * time.Minute
	pollWait    = 25 * time.Second
	streamWait  = time.Minute
	paddingSize = 2048
)

// Errors of a GET's parameters.
var (
	errAckBack  = wire.Errorf(wire.CodeBadFrame, "ack goes back: what it asks for was acknowledged and is gone")
	errAckAhead = wire.Errorf(wire.CodeBadFrame, "ack names a frame that was not sent")
)

// down answers a GET with the frames that follow those the client has.
func (t *HTTP) down(w http.ResponseWriter, r *http.Request, sid string) {
	q, err := parseDown(r)
	if err != nil {
		refuse(w, err)
		return
	}
	reader, failure := t.readerOf(r, sid, q.ack)
	if failure != nil {
		refuseError(w, failure)
		return
	}
	defer reader.leave()
	if reader.x.finished() {
		t.take(sid)
		refuse(w, errNoExchange)
		return
	}
	b := newBody(w)
	defer b.end()
	switch q.mode {
	case modePoll:
		reader.poll(r.Context(), b, q.wait)
	case modeStream:
		reader.stream(r.Context(), lineStream{b}, q.wait)
	case modeEvents:
		reader.stream(r.Context(), eventStream{b}, q.wait)
	}
}

// readerOf has the GET read the exchange, which comes here if it is on another node.
func (t *HTTP) readerOf(r *http.Request, sid string, ack uint64) (*reader, error) {
	if x := t.find(sid); x != nil {
		return x.read(ack)
	}
	x, err := t.fetch(r, sid, ack)
	if err != nil {
		return nil, err
	}
	return x.read(ack)
}

// The modes of a GET.
const (
	modePoll   = "poll"
	modeStream = "stream"
	modeEvents = "sse"
)

// downQuery is what a GET asks for.
type downQuery struct {
	ack  uint64
	mode string
	wait time.Duration
}

func parseDown(r *http.Request) (q downQuery, failure *wire.ProtocolError) {
	values := r.URL.Query()
	ack, err := numberOf(values, "ack")
	if err != nil {
		return q, err
	}
	q = downQuery{ack: ack, mode: values.Get("mode"), wait: streamWait}
	switch q.mode {
	case "", modePoll:
		q.mode, q.wait = modePoll, pollWait
	case modeEvents:
		if last, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 53); err == nil {
			q.ack = max(q.ack, last)
		}
	case modeStream:
	default:
		return q, wire.Errorf(wire.CodeBadFrame, "mode is poll, stream or sse")
	}
	if values.Has("wait") {
		seconds, err := numberOf(values, "wait")
		if err != nil || seconds > uint64(maxWait/time.Second) {
			return q, wire.Errorf(wire.CodeBadFrame, "wait is from 0 to %d seconds", int(maxWait/time.Second))
		}
		q.wait = time.Duration(seconds) * time.Second
	}
	return q, nil
}

// numberOf returns a parameter that is a whole number; zero if there is none.
func numberOf(values url.Values, name string) (uint64, *wire.ProtocolError) {
	if !values.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseUint(values.Get(name), 10, 53)
	if err != nil {
		return 0, wire.Errorf(wire.CodeBadFrame, "%s is a whole number", name)
	}
	return n, nil
}

// poll waits for frames and answers with those that there are.
func (r *reader) poll(ctx context.Context, b *body, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var found []byte
	for ctx.Err() == nil {
		frames, _, then := r.take(pollBytes - len(found))
		found = append(found, bytes.Join(frames, nil)...)
		if len(frames) > 0 && len(found) < pollBytes {
			continue // until there is nothing more
		}
		if len(found) > 0 || then != waits || wait == 0 {
			break
		}
		select {
		case <-r.x.news:
			continue
		case <-r.replaced:
		case <-timer.C:
		case <-ctx.Done():
		}
		break
	}
	b.whole(found)
}

// streamed is a framing of an answer that goes on.
type streamed interface {
	begin() error
	// frames writes lines, the first of which has the number.
	frames(lines [][]byte, first uint64) error
	// beat shows that the connection is alive.
	beat() error
}

// stream answers with frames as they come, until the client was silent for wait.
func (r *reader) stream(ctx context.Context, out streamed, wait time.Duration) {
	if out.begin() != nil {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for written := time.Now(); ; {
		frames, first, then := r.take(chunkBytes)
		switch {
		case len(frames) > 0:
			if out.frames(frames, first) != nil {
				return
			}
			written = time.Now()
			continue
		case then != waits || r.silentFor() >= wait:
			return
		case time.Since(written) >= beatEvery:
			if out.beat() != nil {
				return
			}
			written = time.Now()
		}
		timer.Reset(min(wait-r.silentFor(), beatEvery-time.Since(written)))
		select {
		case <-r.x.news:
		case <-r.replaced:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}
