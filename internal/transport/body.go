package transport

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// body writes an answer, with a deadline for each part of it.
type body struct {
	w       http.ResponseWriter
	control *http.ResponseController
	scratch []byte
}

func newBody(w http.ResponseWriter) *body { return &body{w: w, control: http.NewResponseController(w)} }

// whole writes an answer that is complete.
func (b *body) whole(text []byte) {
	h := b.w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	b.w.WriteHeader(http.StatusOK)
	_ = b.write(text) // a client that does not get it asks again
}

// write writes text and sends it off.
func (b *body) write(text []byte) error {
	// Not every ResponseWriter has deadlines; then those of its server count.
	_ = b.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := b.w.Write(text); err != nil {
		return err
	}
	return b.control.Flush()
}

// end takes the deadline away, which would be that of the connection's next answer too.
func (b *body) end() { _ = b.control.SetWriteDeadline(time.Time{}) }

// lineStream is an answer of lines that goes on.
type lineStream struct{ *body }

func (s lineStream) begin() error {
	s.w.Header().Set("Content-Type", "application/x-ndjson")
	return s.write(append(bytes.Repeat([]byte(" "), paddingSize), '\n'))
}

func (s lineStream) frames(lines [][]byte, _ uint64) error {
	s.scratch = s.scratch[:0]
	for _, line := range lines {
		s.scratch = append(s.scratch, line...)
	}
	return s.write(s.scratch)
}

func (s lineStream) beat() error { return s.write([]byte("\n")) }

// eventStream is an answer of Server-Sent Events (HTML standard, section 9.2), each with a frame.
type eventStream struct{ *body }

// retryMS is how soon EventSource asks again when an answer has ended.
const retryMS = "1000"

func (s eventStream) begin() error {
	s.w.Header().Set("Content-Type", "text/event-stream")
	text := append([]byte(":"), bytes.Repeat([]byte(" "), paddingSize)...)
	return s.write(append(text, "\n\nretry: "+retryMS+"\n\n"...))
}

func (s eventStream) frames(lines [][]byte, first uint64) error {
	s.scratch = s.scratch[:0]
	for i, line := range lines {
		s.scratch = append(s.scratch, "id: "...)
		s.scratch = strconv.AppendUint(s.scratch, first+uint64(i), 10)
		s.scratch = append(s.scratch, "\ndata: "...)
		s.scratch = append(s.scratch, line...)
		s.scratch = append(s.scratch, '\n')
	}
	return s.write(s.scratch)
}

func (s eventStream) beat() error { return s.write([]byte(":\n\n")) }
