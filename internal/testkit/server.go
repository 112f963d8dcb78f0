// Package testkit runs a real server in the test's process and speaks the protocol to it line by line, so that protocol
// tests read as scripts.
package testkit

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/earshot/earshot"
)

// Open is a pair of namespaces in which everyone may do everything: "log" retains, "pub" keeps nothing.
func Open() map[string]earshot.Namespace {
	everything := earshot.Namespace{
		Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone,
	}
	kept := everything
	kept.Kind = earshot.Log
	return map[string]earshot.Namespace{"pub": everything, "log": kept}
}

// Server is a running server. It is closed, and waited for, at the end of the test.
type Server struct {
	*earshot.Server
	URL string // base address, http://127.0.0.1:PORT
}

// Start runs a server with o. Data defaults to a temporary folder, Namespaces to Open, Log to the test's output.
func Start(t *testing.T, o earshot.Options) *Server {
	t.Helper()
	if o.Data == "" && o.Engine == "" {
		o.Data = t.TempDir()
	}
	if o.Namespaces == nil {
		o.Namespaces = Open()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	srv, err := earshot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(context.Background()) }()
	web := httptest.NewServer(srv)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // do not wait for clients to go by themselves
		if err := srv.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		web.Close()
	})
	return &Server{Server: srv, URL: web.URL}
}

// Eventually waits until something that has no event to wait for is so.
func Eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(patience)
	for !so() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("after %v it is not so that %s", patience, what)
		}
	}
}
