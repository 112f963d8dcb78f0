package transport

import (
	"context"
	"net/http"
	"time"

	"github.com/earshot/earshot/wire"
)

// Channel answers with a channel as Server-Sent Events, which EventSource resumes by itself.
func (t *HTTP) Channel(w http.ResponseWriter, r *http.Request, channel string) {
	if !t.expectGuest(w, r, http.MethodGet) {
		return
	}
	frame, err := subscribeOf(r, channel)
	if err != nil {
		refuseError(w, err)
		return
	}
	said := &events{codec: wire.JSON}
	g := t.receiveGuest(r, said)
	if g == nil {
		refuseError(w, errFull)
		return
	}
	defer g.leave()
	g.ask(r, frame)
	if e := said.refusal.Load(); e != nil {
		refuse(w, &wire.ProtocolError{Code: e.Code, Reason: e.Reason, RetryAfter: e.RetryAfter})
		return
	}
	b := newBody(w)
	defer b.end()
	g.stream(r.Context(), eventStream{b}, said)
}

// subscribeOf returns what r asks for.
func subscribeOf(r *http.Request, channel string) (wire.ClientFrame, error) {
	values := r.URL.Query()
	last, err := numberOf(values, "last")
	if err != nil {
		return wire.ClientFrame{}, err
	}
	since := r.Header.Get("Last-Event-ID")
	if since == "" {
		since = values.Get("since")
	}
	return checked(wire.Subscribe{Channel: channel, Since: since, Last: int(min(last, wire.MaxLast+1))})
}

// stream writes what the link says until it ends or the client goes.
func (g *guest) stream(ctx context.Context, out eventStream, said *events) {
	if out.begin() != nil {
		return
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	var buffer []byte
	for {
		last := said.last.Load() // before Fill, which may have what was said before that
		text, more := g.link.Fill(buffer[:0], chunkBytes)
		if buffer = text; len(text) > 0 && out.write(text) != nil {
			return
		}
		if more {
			continue
		}
		if last {
			return
		}
		select {
		case <-g.news:
		case <-ctx.Done():
			return
		case <-beat.C:
			if out.beat() != nil {
				return
			}
		}
	}
}
