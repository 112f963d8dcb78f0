package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/earshot/earshot/wire"
)

// Transport is how a client talks to the server. All carry the same frames with the same guarantees.
type Transport string

// The transports.
const (
	TransportWebSocket Transport = "ws"     // what is used if Options say nothing
	TransportStream    Transport = "stream" // over HTTP: one long answer, and POSTs
	TransportEvents    Transport = "sse"    // the same, as Server-Sent Events
	TransportPoll      Transport = "poll"   // over HTTP: an answer for each news
	// TransportAuto tries WebSocket first, and where that is blocked, HTTP. It remembers what works for an hour.
	TransportAuto Transport = "auto"
)

const (
	// blockedAfter is how long TransportAuto waits for a WebSocket, or for a stream to begin, before it tries the next; if
	// ConnectTimeout is less than twice that, half of it.
	blockedAfter = 5 * time.Second
	// blockedFor is how long it believes that WebSocket is blocked.
	blockedFor = time.Hour
)

func (t Transport) check() error {
	switch t {
	case TransportWebSocket, TransportStream, TransportEvents, TransportPoll, TransportAuto:
		return nil
	}
	return fmt.Errorf("transport %q: want auto, ws, stream, sse or poll", string(t))
}

// reach opens a session by the transport that is wanted, or that works.
func (c *Client) reach(ctx context.Context, hello []byte) (*link, error) {
	switch t := c.opts.Transport; {
	case t == TransportWebSocket:
		return c.open(ctx, hello, c.connectSocket)
	case t != TransportAuto:
		return c.open(ctx, hello, c.overHTTP(t, 0))
	case time.Now().Before(c.blockedUntil):
		return c.open(ctx, hello, c.overHTTP(TransportStream, c.patience()))
	}
	return c.reachAny(ctx, hello)
}

// reachAny tries WebSocket, and where that comes to nothing, HTTP. What a server says for itself is no reason to: it would
// say the same again. A proxy may let the handshake through and nothing else, so that the hello counts too.
func (c *Client) reachAny(ctx context.Context, hello []byte) (*link, error) {
	first, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	l, err := c.open(first, hello, c.connectSocket)
	if e := new(Error); err == nil || errors.As(err, &e) || ctx.Err() != nil {
		return l, err
	}
	other, otherErr := c.open(ctx, hello, c.overHTTP(TransportStream, c.patience()))
	if otherErr != nil {
		return nil, err
	}
	c.log.Info("WebSocket does not work here, HTTP does", "err", err)
	c.blockedUntil = time.Now().Add(blockedFor)
	return other, nil
}

// patience is how long a transport may take before it counts as blocked.
func (c *Client) patience() time.Duration { return min(blockedAfter, c.opts.ConnectTimeout/2) }

// connectSocket opens a WebSocket.
func (c *Client) connectSocket(ctx context.Context, l *link, hello []byte) (carrier, error) {
	conn, err := c.handshake(ctx, l)
	if err != nil {
		return nil, err
	}
	s := &socket{conn, l.heard}
	if err := s.send(ctx, hello); err != nil {
		s.drop()
		return nil, fmt.Errorf("write hello: %w", err)
	}
	return s, nil
}

// frameError returns what the server says in place of an answer, if text begins with such a frame.
func frameError(text []byte) *Error {
	f, err := wire.JSON.DecodeServerFrame(text)
	if err != nil {
		return nil
	}
	switch b := f.Body.(type) {
	case wire.Error:
		return &Error{Code: b.Code, Reason: b.Reason, RetryAfter: b.RetryAfter}
	case wire.Bye:
		return &Error{Code: b.Code, Reason: b.Reason, RetryAfter: b.Delay}
	}
	return nil
}
