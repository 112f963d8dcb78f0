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
	return c.reach(ctx, c.helloFrame(token))
}

// connector opens a connection, and says hello on it.
type connector func(ctx context.Context, l *link, hello []byte) (carrier, error)

// open opens a connection by connect and a session on it.
func (c *Client) open(ctx context.Context, hello []byte, connect connector) (*link, error) {
	l := c.newLink()
	var err error
	if l.conn, err = connect(ctx, l, hello); err != nil {
		l.cancel(err)
		return nil, err
	}
	if err := l.awaitWelcome(ctx); err != nil {
		l.cancel(err)
		l.conn.drop()
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
	httpClient := c.opts.HTTPClient
	if httpClient == nil {
		httpClient = handshakeHTTPClient()
	}
	conn, resp, err := websocket.Dial(ctx, c.base.socket(), &websocket.DialOptions{
		HTTPClient:   httpClient,
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

// helloFrame says who the client is.
func (c *Client) helloFrame(token string) []byte {
	c.mu.Lock()
	hello := wire.Hello{Token: token, Client: clientName, Sender: c.sender, Resume: c.resume, Heartbeat: c.opts.Heartbeat}
	c.mu.Unlock()
	return wire.JSON.AppendClientFrame(nil, wire.ClientFrame{ID: helloID, Body: hello})
}

// awaitWelcome waits for the server's answer to the hello. It may send nothing else before it but Ping.
func (l *link) awaitWelcome(ctx context.Context) error {
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
