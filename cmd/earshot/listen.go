package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	headerTimeout  = 10 * time.Second // to read a request's headers
	idleTimeout    = 2 * time.Minute  // of a connection between requests
	maxHeaderBytes = 16 << 10
	drainTimeout   = 90 * time.Second // the longest close_notice, and 30 s
)

// listen opens the listener. A problem that another address would solve says so.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w; stop what listens there, or choose another address with --addr", err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%w; a port below 1024 needs privileges, so choose another with --addr", err)
	}
	return ln, err
}

// backend is what serveHTTP needs of the server library. Run is called once; Close sends the clients away, finishes what
// was accepted, and makes Run return.
type backend interface {
	Run(ctx context.Context) error
	Close(ctx context.Context) error
}

// newHTTP returns a server of h with bounds.
func newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
}

// serveHTTP runs b and server until ctx ends or one of them fails; then it drains both.
func serveHTTP(ctx context.Context, ln net.Listener, server *http.Server, b backend, stdout io.Writer) error {
	ended := make(chan error, 2) // room for both, so that neither waits for a reader
	var running sync.WaitGroup
	running.Go(func() { ended <- b.Run(context.WithoutCancel(ctx)) })
	scheme, serve := "http", func() error { return server.Serve(ln) }
	if server.TLSConfig != nil {
		scheme, serve = "https", func() error { return server.ServeTLS(ln, "", "") }
	}
	running.Go(func() { ended <- serve() })
	fmt.Fprintf(stdout, "listening on %s://%s\n", scheme, ln.Addr())

	var failure error
	select {
	case failure = <-ended:
	case <-ctx.Done():
	}
	err := drain(context.WithoutCancel(ctx), server, b)
	running.Wait()
	return errors.Join(failure, err)
}

// drain lets b send its clients away, and answers requests until they are gone: who asks whether the server is ready is
// told so, and who comes is refused with a word. Then it waits for the requests that are under way.
func drain(ctx context.Context, server *http.Server, b backend) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	closing := b.Close(ctx)
	shutdown := server.Shutdown(ctx)
	if err := errors.Join(closing, shutdown); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
