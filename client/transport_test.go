package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// overEach runs f with a client for each transport.
func overEach(t *testing.T, o earshot.Options, f func(t *testing.T, c *client.Client, srv *testkit.Server)) {
	for _, transport := range []client.Transport{
		client.TransportWebSocket, client.TransportStream, client.TransportEvents, client.TransportPoll, client.TransportAuto,
	} {
		t.Run(string(transport), func(t *testing.T) {
			srv := testkit.Start(t, o)
			f(t, connectBy(t, srv.URL, transport), srv)
		})
	}
}

func connectBy(t *testing.T, url string, transport client.Transport) *client.Client {
	t.Helper()
	c, err := client.Connect(t.Context(), url, client.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// Whatever the transport, what many publish at once arrives once and in order, and is answered.
func TestEveryTransport(t *testing.T) {
	overEach(t, earshot.Options{}, func(t *testing.T, c *client.Client, _ *testkit.Server) {
		const all, atOnce = 400, 20
		sub, err := c.Subscribe(t.Context(), "log:a", client.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		if _, err := c.PublishJSON(t.Context(), "log:a", "first"); err != nil { // once it is answered, the subscription is there
			t.Fatal(err)
		}
		var publishing sync.WaitGroup
		for i := range atOnce {
			publishing.Go(func() {
				for j := range all / atOnce {
					text := fmt.Sprint(i, j, strings.Repeat(" and so on", 100))
					if _, err := c.PublishJSON(t.Context(), "log:a", text); err != nil {
						t.Errorf("publish: %v", err)
					}
				}
			})
		}
		for offset := uint64(1); offset <= all+1; offset++ {
			ev, err := sub.Next(t.Context())
			if p, ok := ev.(client.Publication); err != nil || !ok || p.Offset != offset {
				t.Fatalf("event %d is %+v, %v", offset, ev, err)
			}
		}
		publishing.Wait()
		_, err = c.Publish(t.Context(), "log:a", client.Message{Data: wire.JSONData([]byte(`"` + strings.Repeat("x", wire.MaxFrameBytes-200) + `"`))}, client.PublishOptions{})
		if err != nil {
			t.Errorf("publish as much as fits: %v", err)
		}
	})
}

// A server's refusal says the same over each transport, and ends the client.
func TestRefusalByEveryTransport(t *testing.T) {
	refuse := earshot.Options{OnConnect: func(context.Context, earshot.ConnectRequest) (earshot.Identity, error) {
		return earshot.Identity{}, earshot.Unauthorized("not you")
	}}
	overEach(t, refuse, func(t *testing.T, c *client.Client, _ *testkit.Server) {
		<-c.Done()
		var e *client.Error
		if err := c.State().Err; !errors.As(err, &e) || e.Code != wire.CodeUnauthorized || e.Reason != "not you" {
			t.Errorf("the client ended with %v", err)
		}
	})
}

// A session goes on when the server ends the exchange, and the server hears of the end of the client.
func TestSessionOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := connectBy(t, srv.URL, client.TransportStream)
	if _, err := c.PublishJSON(t.Context(), "log:a", 1); err != nil {
		t.Fatal(err)
	}
	first := c.Session()
	if left := srv.Sessions(""); len(left) != 1 || left[0].ID() != first || !left[0].Connected() {
		t.Fatalf("sessions: %v", left)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the server knows that the client has gone", func() bool { return !srv.Sessions("")[0].Connected() })
}

// bad is a network between clients and a server.
type bad struct {
	http.Handler                          // the way to the server
	upgrade      http.HandlerFunc         // what it does to a WebSocket's handshake
	gathers      bool                     // answers are handed on only when they have ended
	seen         map[string]*atomic.Int64 // requests, by what they are
}

func (b *bad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch mode := r.URL.Query().Get("mode"); {
	case r.Header.Get("Upgrade") != "":
		b.seen["upgrade"].Add(1)
		b.upgrade(w, r)
		return
	case strings.HasSuffix(r.URL.Path, "/http"):
		b.seen["open"].Add(1)
	case mode != "":
		b.seen[mode].Add(1)
		if b.gathers {
			gathered := httptest.NewRecorder()
			b.Handler.ServeHTTP(gathered, r)
			w.Write(gathered.Body.Bytes())
			return
		}
	}
	b.Handler.ServeHTTP(w, r)
}

// Where WebSocket is blocked, TransportAuto goes on over HTTP, and by polling where answers are gathered. It is row T4 of the faults.
func TestBlockedWebSocket(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, network := range map[string]*bad{
		"refuses":  {upgrade: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no upgrades here", http.StatusBadGateway) }},
		"swallows": {upgrade: hang},
		"gathers":  {upgrade: hang, gathers: true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := testkit.Start(t, earshot.Options{})
			target, err := url.Parse(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			forward := httputil.NewSingleHostReverseProxy(target)
			forward.FlushInterval = -1
			network.Handler = forward
			network.seen = map[string]*atomic.Int64{"upgrade": {}, "open": {}, "stream": {}, "poll": {}}
			proxy := httptest.NewServer(network)
			t.Cleanup(proxy.Close)
			c, err := client.Connect(t.Context(), proxy.URL, client.Options{Transport: client.TransportAuto, ConnectTimeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if _, err := c.PublishJSON(t.Context(), "log:a", i); err != nil {
					t.Fatal(err)
				}
			}
			if n := network.seen["upgrade"].Load(); n != 1 || network.seen["open"].Load() != 1 {
				t.Errorf("%d handshakes, %d exchanges", n, network.seen["open"].Load())
			}
			if polled := network.seen["poll"].Load() > 0; polled != network.gathers {
				t.Errorf("that it polled is %v", polled)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
