package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/earshot/earshot/wire"
)

// Bounds of what a POST brings.
const (
	maxUpBytes  = 2 * wire.MaxFrameBytes
	maxUpFrames = 256
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout = 10 * time.Second
)

// readFrames reads the body's lines.
func readFrames(w http.ResponseWriter, r *http.Request) ([][]byte, error) {
	text, err := readBody(w, r, maxUpBytes)
	if err != nil {
		return nil, err
	}
	var frames [][]byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			continue
		case len(line) > wire.MaxFrameBytes:
			return nil, wire.Errorf(wire.CodeTooLarge, "a frame has at most %d bytes", wire.MaxFrameBytes)
		case len(frames) == maxUpFrames:
			return nil, wire.Errorf(wire.CodeTooLarge, "a body has at most %d frames", maxUpFrames)
		}
		frames = append(frames, line)
	}
	return frames, nil
}

// readBody reads at most max bytes, in good time.
func readBody(w http.ResponseWriter, r *http.Request, max int64) ([]byte, error) {
	control := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines; then those of its server count.
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, max))
	if err == nil {
		_ = control.SetReadDeadline(time.Time{}) // it would be that of the connection's next request too
		return text, nil
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, wire.Errorf(wire.CodeTooLarge, "a body has at most %d bytes", max)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errSlowBody
	}
	return nil, wire.Errorf(wire.CodeBadFrame, "the body did not arrive")
}

// errSlowBody is the answer to a body that did not arrive in time.
var errSlowBody = wire.Errorf(wire.CodeTimeout, "the body took more than %v to arrive", bodyTimeout)

// refuseError answers with the error. One that is not of the protocol is not told.
func refuseError(w http.ResponseWriter, err error) {
	if errors.Is(err, errFull) {
		sendAway(w, wire.CloseOverloaded, overloadedDelay)
		return
	}
	e := refusalOf(err)
	refuseWith(w, e.Status, &e.ProtocolError)
}

// refusal is what a client is told of an error.
type refusal struct {
	Status int
	wire.ProtocolError
}

// refusalOf returns what a client is told of err.
func refusalOf(err error) *refusal {
	var r *refusal
	var e *wire.ProtocolError
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, errSlowBody):
		return &refusal{http.StatusRequestTimeout, *errSlowBody}
	case errors.Is(err, errOrder):
		return &refusal{http.StatusConflict, *errOrder}
	case errors.Is(err, errAckBack):
		return &refusal{http.StatusConflict, *errAckBack}
	case errors.Is(err, errMoving):
		return &refusal{http.StatusServiceUnavailable, *errElsewhere}
	case errors.As(err, &e):
		return &refusal{statusOf(e.Code), *e}
	}
	return &refusal{http.StatusInternalServerError, wire.ProtocolError{Code: wire.CodeInternal}}
}
