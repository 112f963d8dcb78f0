package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/earshot/earshot/wire"
)

const (
	// clientName is what the operator of a server sees.
	clientName = "earshot-go"
	// helloID is the id of the frame that every connection begins with.
	helloID = 1
)

// dial opens a connection and a session on it.
func (c *Client) dial() (*link, error) {
	ctx, cancel := context.WithTimeout(c.life, c.opts.ConnectTimeout)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	l := c.newLink()
	l.conn, err = c.handshake(ctx, l)
	if err != nil {
		l.cancel(err)
		return nil, err
	}
	if err := c.hello(ctx, l, token); err != nil {
		l.cancel(err)
		_ = l.conn.CloseNow() // the reason is err
		return nil, fmt.Errorf("open session: %w", err)
	}
	return l, nil
}

func (c *Client) token(ctx context.Context) (string, error) {
	if c.opts.Token == nil {
		return "", nil
	}
	token, err := c.opts.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("get token: %w", err)
	}
	return token, nil
}

// attempt is the key of the context of an attempt to connect, among the values of that context.
type attempt struct{}

// dialForAttempt dials until the attempt that needs it is over. Of itself net/http would dial on for the sake of later
// requests, which with a network that swallows everything takes minutes for each attempt.
func dialForAttempt(ctx context.Context, network, addr string) (net.Conn, error) {
	if of, ok := ctx.Value(attempt{}).(context.Context); ok {
		ctx = of
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func (c *Client) handshake(ctx context.Context, l *link) (*websocket.Conn, error) {
	ctx = context.WithValue(ctx, attempt{}, ctx)
	conn, resp, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{
		HTTPClient:   c.opts.HTTPClient,
		HTTPHeader:   c.opts.Header.Clone(),
		Subprotocols: []string{wire.JSON.Subprotocol()},
		OnPingReceived: func(context.Context, []byte) bool {
			l.heard()
			return true
		},
	})
	if err != nil {
		return nil, refusal(resp, err)
	}
	conn.SetReadLimit(wire.MaxServerFrameBytes)
	return conn, nil
}

// refusal says why there is no connection. An overloaded server's answer is a temporary Error with the wait that it
// asked for.
func refusal(resp *http.Response, err error) error {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		if e := new(url.Error); errors.As(err, &e) {
			err = e.Err // the rest only says that there was a request
		}
		return fmt.Errorf("connect: %w", err)
	}
	if resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("connect: the server answered HTTP %s, where a WebSocket should be", resp.Status)
	}
	e := wire.Errorf(wire.CodeUnavailable, "the server answered HTTP %s", resp.Status)
	if s, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}

// hello says who the client is and waits for the server's welcome. The server may send nothing else before it but Ping.
func (c *Client) hello(ctx context.Context, l *link, token string) error {
	c.mu.Lock()
	hello := wire.Hello{Token: token, Client: clientName, Sender: c.sender, Resume: c.resume, Heartbeat: c.opts.Heartbeat}
	c.mu.Unlock()
	frame := wire.JSON.AppendClientFrame(nil, wire.ClientFrame{ID: helloID, Body: hello})
	if err := l.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("write hello: %w", err)
	}
	for {
		f, err := l.read(ctx)
		if err != nil {
			return err
		}
		switch b := f.Body.(type) {
		case wire.Welcome:
			l.welcome = b
			return nil
		case wire.Error:
			return &Error{Code: b.Code, Reason: b.Reason, RetryAfter: b.RetryAfter}
		case wire.Bye:
			return &Error{Code: b.Code, Reason: b.Reason, RetryAfter: b.Delay}
		}
	}
}
