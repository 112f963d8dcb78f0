package main

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/time/rate"
)

const (
	// connectBurst is how many seconds' worth of connections may come at once, after a quiet time.
	connectBurst = 4
	// comeBackWithin is within how many seconds those who were refused are told to come again, each at a time of its own.
	comeBackWithin = 5
	// acceptPerThread is how many connections a second each of the program's threads opens, one after the other, and
	// acceptSecurePerThread how many over TLS, which take five times the CPU. A storm of them would else stand in one line with
	// the messages of those that are connected: these waited 45 ms (p99) while 10,000 came at once, and wait 4 ms since.
	acceptPerThread       = 1_000
	acceptSecurePerThread = 400
	// acceptBurst is how many may come at once after a pause: about as many as wake a thread together.
	acceptBurst = 16
)

// gate refuses connections that the process has no room for, before they cost more than an answer. Those that are served
// already go on. Its methods may be called concurrently.
type gate struct {
	limiter *rate.Limiter
	pace    *rate.Limiter // of those that are let in
	// crowded descriptors in use are so many that newcomers are refused with a word, full so many that there is none left
	// for that: the store needs the rest. Zero: not limited.
	crowded, full int
}

// refused marks the context of the requests of a connection that is not to be served.
type refused struct{}

// newGate returns a gate for so many new connections in a second, over TLS if they are secure.
func newGate(perSecond int, secure bool) *gate {
	pace := acceptPerThread
	if secure {
		pace = acceptSecurePerThread
	}
	limit := descriptorLimit()
	reserve := reserved(limit)
	return &gate{
		limiter: rate.NewLimiter(rate.Limit(perSecond), perSecond*connectBurst),
		pace:    rate.NewLimiter(rate.Limit(pace*runtime.GOMAXPROCS(0)), acceptBurst),
		crowded: limit - reserve, full: limit - reserve/2,
	}
}

// reserved returns how many of the descriptors are not for connections.
func reserved(limit int) int { return min(max(limit/32, 16), 1024, limit) }

// mark decides about a new connection. It is the ConnContext of an http.Server.
func (g *gate) mark(ctx context.Context, c net.Conn) context.Context {
	used := descriptor(c)
	if g.full > 0 && used >= g.full {
		_ = c.Close() // its reader finds it closed
		return ctx
	}
	if g.crowded > 0 && used >= g.crowded || !g.limiter.Allow() {
		return context.WithValue(ctx, refused{}, true)
	}
	_ = g.pace.Wait(ctx) // ctx is that of all connections, which does not end
	return ctx
}

// admit returns a handler that answers the requests of connections that are not to be served, and passes on all others.
func (g *gate) admit(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(refused{}) == nil {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", strconv.Itoa(1+rand.IntN(comeBackWithin)))
		http.Error(w, "the server has as many connections as it may", http.StatusServiceUnavailable)
	})
}

// descriptor returns the number of the connection's descriptor. The system gives out the lowest that is free (POSIX, section
// 2.6 of open), so at least as many are in use. Zero if it is not known.
func descriptor(c net.Conn) (number int) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	socket, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { number = int(fd) }) // of a connection that is closed it is not known
	return number
}
