package client

import (
	"context"
	"io"

	"github.com/coder/websocket"
)

// carrier is a connection: it takes frames to the server and brings the server's, each once and in order.
type carrier interface {
	// send takes one frame, which the caller may change afterwards. It waits while too much is under way.
	send(ctx context.Context, frame []byte) error
	// receive returns the next frame. It is called by one goroutine at a time.
	receive(ctx context.Context) ([]byte, error)
	// close says goodbye and ends the connection; drop ends it at once. Both may be called at any time, and again.
	close()
	drop()
}

// socket is a WebSocket.
type socket struct {
	conn  *websocket.Conn
	heard func() // is called with each sign of life
}

func (s *socket) send(ctx context.Context, frame []byte) error {
	return s.conn.Write(ctx, websocket.MessageText, frame)
}

func (s *socket) receive(ctx context.Context) ([]byte, error) {
	_, r, err := s.conn.Reader(ctx)
	if err != nil {
		return nil, closeError(err)
	}
	text, err := io.ReadAll(hearing{r, s.heard})
	if err != nil {
		return nil, closeError(err)
	}
	return text, nil
}

func (s *socket) close() {
	_ = s.conn.Close(websocket.StatusNormalClosure, "") // there is nothing more to say
}

func (s *socket) drop() {
	_ = s.conn.CloseNow() // whoever drops it knows why
}

// hearing notes life with each part of what is read, so that a large message over a slow network is not taken for silence.
type hearing struct {
	r     io.Reader
	heard func()
}

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if n > 0 {
		h.heard()
	}
	return n, err
}
