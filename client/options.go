package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/earshot/earshot/wire"
)

// Options adjust a client. The zero value is ready for use.
type Options struct {
	// Token is asked for a token before each connection, and before the one that was shown expires; nil connects as an anonymous client. It must obey its context.
	// If it returns an *Error that forbids coming back, such as CodeUnauthorized, the client ends with it.
	Token func(ctx context.Context) (string, error)
	// Logger gets what the operator of this client may want to know; nil discards it.
	Logger *slog.Logger
	// OnState is called with each new state, one call at a time. The connection waits for it: it must be quick and must
	// not call Close.
	OnState func(State)
	// Transport is how to talk to the server: TransportWebSocket if empty.
	Transport Transport
	// Header is sent with each WebSocket handshake, or each request over HTTP.
	Header http.Header
	// HTTPClient makes the handshake and other requests: for proxies, TLS settings and dialling. It must not have a Timeout:
	// answers over HTTP last long. Nil uses one of the client's own.
	HTTPClient *http.Client

	Heartbeat      time.Duration // how often the server should be heard from; 25 s if zero
	Grace          time.Duration // how much longer it may stay silent; 10 s if zero
	ConnectTimeout time.Duration // for token, handshake and hello together; 10 s if zero
	// The wait before the n-th try is chosen from 0 to BackoffBase times 2^n, but at most BackoffMax; 250 ms and 20 s if
	// zero.
	BackoffBase, BackoffMax time.Duration

	// MaxPending and MaxPendingBytes bound the publishes and history reads that have no answer yet; beyond them Publish
	// and History wait for room. 1,024 and 8 MB if zero.
	MaxPending, MaxPendingBytes int
	// QueueEvents and QueueBytes bound what a subscription holds for a consumer that is not reading. 1,024 and 1 MB if
	// zero.
	QueueEvents, QueueBytes int
	// MaxCalls bounds the calls to this client that its handlers answer at a time. 64 if zero.
	MaxCalls int
	// MapBytes bounds the copy of one map that is watched; the watch of a larger one ends with ErrMapTooLarge. 64 MB if zero.
	MapBytes int
}

// eventOverheadBytes is what an event costs beyond its own bytes, towards QueueBytes.
const eventOverheadBytes = 256

// withDefaults returns o with its zero values replaced, or says what is wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	duration := func(name string, d *time.Duration, byDefault time.Duration) {
		if *d < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %v", name, *d))
		}
		if *d == 0 {
			*d = byDefault
		}
	}
	count := func(name string, n *int, byDefault int) {
		if *n < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %d", name, *n))
		}
		if *n == 0 {
			*n = byDefault
		}
	}
	duration("Heartbeat", &o.Heartbeat, 25*time.Second)
	duration("Grace", &o.Grace, 10*time.Second)
	duration("ConnectTimeout", &o.ConnectTimeout, 10*time.Second)
	duration("BackoffBase", &o.BackoffBase, 250*time.Millisecond)
	duration("BackoffMax", &o.BackoffMax, 20*time.Second)
	count("MaxPending", &o.MaxPending, 1024)
	count("MaxPendingBytes", &o.MaxPendingBytes, 8<<20)
	count("QueueEvents", &o.QueueEvents, 1024)
	count("QueueBytes", &o.QueueBytes, 1<<20)
	count("MaxCalls", &o.MaxCalls, 64)
	count("MapBytes", &o.MapBytes, 64<<20)
	if o.Heartbeat < wire.MinHeartbeat || o.Heartbeat > wire.MaxHeartbeat {
		errs = append(errs, fmt.Errorf("heartbeat %v is outside %v to %v", o.Heartbeat, wire.MinHeartbeat, wire.MaxHeartbeat))
	}
	if o.MaxPendingBytes < wire.MaxFrameBytes {
		errs = append(errs, fmt.Errorf("MaxPendingBytes %d does not hold one frame of %d", o.MaxPendingBytes, wire.MaxFrameBytes))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Transport == "" {
		o.Transport = TransportWebSocket
	}
	if err := o.Transport.check(); err != nil {
		errs = append(errs, err)
	}
	return o, errors.Join(errs...)
}

// handshakeHTTPClient returns a client that keeps no idle connection, so that a refused handshake leaves nothing behind, and
// speaks HTTP/1.1 alone, which is what the handshake needs (RFC 6455 section 4.1).
func handshakeHTTPClient() *http.Client {
	var only1 http.Protocols
	only1.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       dialForAttempt,
		DisableKeepAlives: true,
		Protocols:         &only1,
	}}
}

// exchangeHTTPClient returns a client that keeps connections, for an exchange.
func exchangeHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       dialForAttempt,
		ForceAttemptHTTP2: true,
	}}
}
