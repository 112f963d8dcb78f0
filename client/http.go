package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/earshot/earshot/wire"
)

const (
	// goodbyeTimeout bounds the request that says goodbye.
	goodbyeTimeout = 2 * time.Second
	// lingering is how long requests are repeated: about as long as the server keeps what it has for the client.
	lingering = 25 * time.Second
	// retryFirst and retryMost are the waits before a request is repeated.
	retryFirst = 50 * time.Millisecond
	retryMost  = 2 * time.Second
)

// errGone says that the server does not know the exchange any more.
var errGone = errors.New("the server has ended the exchange")

// exchange is a connection made of requests: see docs/reference/protocol.md, over HTTP.
type exchange struct {
	// Set by newExchange and open, then read-only.
	client *http.Client
	own    bool // the HTTP client is the exchange's own
	header http.Header
	url    string // with the sid
	heard  func() // is called with each sign of life
	life   context.Context
	end    context.CancelCauseFunc

	down down
	up   up

	posting sync.WaitGroup
}

// overHTTP returns what opens an exchange that reads by mode. A stream that does not begin within patience becomes a poll;
// zero: it never does.
func (c *Client) overHTTP(mode Transport, patience time.Duration) connector {
	return func(ctx context.Context, l *link, hello []byte) (carrier, error) {
		x := c.newExchange(l)
		text, err := x.open(ctx, hello)
		if err != nil {
			x.end(err)
			x.closeIdle()
			return nil, err
		}
		x.down.begin(text, mode, patience)
		x.up.begin()
		x.posting.Go(x.post)
		return x, nil
	}
}

func (c *Client) newExchange(l *link) *exchange {
	x := &exchange{client: c.opts.HTTPClient, header: c.opts.Header, url: c.base.exchange(), heard: l.heard}
	if x.client == nil {
		x.own, x.client = true, exchangeHTTPClient()
	}
	x.life, x.end = context.WithCancelCause(l.ctx)
	return x
}

// open posts the hello, and returns the frames that came with the answer.
func (x *exchange) open(ctx context.Context, hello []byte) ([]byte, error) {
	resp, err := x.do(ctx, http.MethodPost, x.url, hello)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxServerFrameBytes))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		if e := frameError(text); e != nil {
			return nil, e
		}
		return nil, refusal(resp, errors.New("no exchange was opened"))
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	var opened struct {
		Open struct {
			SID string `json:"sid"`
		} `json:"open"`
	}
	if err := json.Unmarshal(first, &opened); err != nil || opened.Open.SID == "" {
		return nil, errors.New("connect: the answer is not that of an Earshot server")
	}
	x.url += "/" + opened.Open.SID
	return rest, nil
}

func (x *exchange) do(ctx context.Context, method, url string, body []byte) (*http.Response, error) {
	ctx = context.WithValue(ctx, attempt{}, ctx)
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	r.Header = x.header.Clone()
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if body != nil {
		r.Header.Set("Content-Type", "text/plain")
	}
	return x.client.Do(r)
}

// answered returns what a status other than that of success means: nil if the request is to be repeated.
func answered(resp *http.Response) error {
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusRequestTimeout || resp.StatusCode == http.StatusTooManyRequests:
		return nil
	case resp.StatusCode == http.StatusNotFound:
		return errGone
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, wire.MaxFrameBytes)) // what came says enough
	return fmt.Errorf("the server answered HTTP %s: %s", resp.Status, strings.TrimSpace(string(text)))
}

// retrying spaces the tries of a request, until it is too late for them.
type retrying struct {
	since time.Time // of the first failure
	wait  time.Duration
}

// after waits before the next try, and reports false if there is to be none.
func (r *retrying) after(ctx context.Context) bool {
	if r.since.IsZero() {
		r.since = time.Now()
	}
	if time.Since(r.since) > lingering {
		return false
	}
	r.wait = min(max(2*r.wait, retryFirst), retryMost)
	return sleep(ctx, r.wait) == nil
}

// close says goodbye.
func (x *exchange) close() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.life), goodbyeTimeout)
	defer cancel()
	if resp, err := x.do(ctx, http.MethodPost, x.url+"/close", nil); err == nil {
		resp.Body.Close()
	}
	x.drop()
}

// drop ends the exchange on this side.
func (x *exchange) drop() {
	x.end(ErrClosed)
	x.posting.Wait()
	x.closeIdle()
}

func (x *exchange) closeIdle() {
	if x.own {
		x.client.CloseIdleConnections()
	}
}
