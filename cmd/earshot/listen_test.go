package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// fakeBackend runs until it is closed, or fails at once.
type fakeBackend struct {
	failure  error
	closing  error
	closed   chan struct{}
	closings int
}

func newFakeBackend() *fakeBackend { return &fakeBackend{closed: make(chan struct{})} }

func (b *fakeBackend) Run(context.Context) error {
	if b.failure != nil {
		return b.failure
	}
	<-b.closed
	return nil
}

func (b *fakeBackend) Close(context.Context) error {
	b.closings++
	close(b.closed)
	return b.closing
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	ln, err := listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func TestServeHTTPDrainsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := newFakeBackend()
	var out strings.Builder
	ln := loopback(t)
	err := serveHTTP(ctx, ln, newHTTP(http.NotFoundHandler()), b, &out)
	if err != nil || b.closings != 1 || out.String() != announcement+"http://"+ln.Addr().String()+"\n" {
		t.Errorf("got %v, %d closings, printed %q", err, b.closings, &out)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("it still accepts connections")
	}
}

func TestServeHTTPReportsWhatFailed(t *testing.T) {
	failure, closing := errors.New("no disk"), errors.New("not closed")
	b := newFakeBackend()
	b.failure, b.closing = failure, closing
	err := serveHTTP(context.Background(), loopback(t), newHTTP(http.NotFoundHandler()), b, io.Discard)
	if !errors.Is(err, failure) || !errors.Is(err, closing) || b.closings != 1 {
		t.Errorf("got %v, %d closings", err, b.closings)
	}
}

func TestServeHTTPEndsWithItsListener(t *testing.T) {
	ln := loopback(t)
	ln.Close()
	b := newFakeBackend()
	if err := serveHTTP(context.Background(), ln, newHTTP(http.NotFoundHandler()), b, io.Discard); !errors.Is(err, net.ErrClosed) || b.closings != 1 {
		t.Errorf("got %v, %d closings", err, b.closings)
	}
}
