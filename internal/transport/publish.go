package transport

import (
	"bytes"
	"cmp"
	"context"
	"mime"
	"net/http"
	"time"

	"github.com/earshot/earshot/wire"
)

// commitTimeout is how long a request waits for a commit.
const commitTimeout = 30 * time.Second

// Publish publishes the request's body to a channel and answers once it is committed.
func (t *HTTP) Publish(w http.ResponseWriter, r *http.Request, channel string) {
	if !t.expectGuest(w, r, http.MethodPost) {
		return
	}
	frame, err := publishOf(w, r, channel)
	if err != nil {
		refuseError(w, err)
		return
	}
	g := t.receiveGuest(r, lines{wire.JSON})
	if g == nil {
		refuseError(w, errFull)
		return
	}
	defer g.leave()
	g.ask(r, frame)
	ctx, cancel := context.WithTimeout(r.Context(), commitTimeout)
	defer cancel()
	switch said := g.answer(ctx).(type) {
	case wire.Published:
		answer(w, http.StatusOK, said)
	case wire.Error:
		refuse(w, &wire.ProtocolError{Code: said.Code, Reason: said.Reason, RetryAfter: said.RetryAfter})
	case wire.Bye:
		sendAway(w, said.Code, said.Delay)
	default:
		refuse(w, &wire.ProtocolError{Code: wire.CodeTimeout})
	}
}

// publishOf returns what r asks for.
func publishOf(w http.ResponseWriter, r *http.Request, channel string) (wire.ClientFrame, error) {
	text, err := readBody(w, r, wire.MaxFrameBytes)
	if err != nil {
		return wire.ClientFrame{}, err
	}
	values := r.URL.Query()
	p := wire.Publish{Channel: channel, Idem: cmp.Or(values.Get("idem"), r.Header.Get("Idempotency-Key"))}
	p.Event = values.Get("event")
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/octet-stream" {
		p.Data = wire.BinaryData(text)
		return checked(p)
	}
	if err := wire.ValidJSON(text); err != nil {
		return wire.ClientFrame{}, err
	}
	p.Data = wire.JSONData(bytes.TrimSpace(text))
	return checked(p)
}

// answer waits for the first thing that the link says.
func (g *guest) answer(ctx context.Context) wire.ServerBody {
	for {
		text, _ := g.link.Fill(nil, chunkBytes)
		if line, _, found := bytes.Cut(text, []byte("\n")); found {
			frame, _ := wire.JSON.DecodeServerFrame(line) // it was written by the same codec
			return frame.Body
		}
		select {
		case <-g.news:
		case <-ctx.Done():
			return nil
		}
	}
}
