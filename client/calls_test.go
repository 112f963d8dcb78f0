package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// calling makes a call to the server in the background.
func calling(ctx context.Context, c *client.Client, opts client.CallOptions) (wait func() (client.Data, error)) {
	var data client.Data
	var err error
	var running sync.WaitGroup
	running.Go(func() { data, err = c.Call(ctx, "ask", wire.JSONData([]byte("1")), opts) })
	return func() (client.Data, error) {
		running.Wait()
		return data, err
	}
}

// A call whose connection broke is made again under its id in the same session, and not in another one.
func TestCallIsRepeated(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		answer := calling(ctx, c, client.CallOptions{To: "s9"})
		_, first := p.next("call")
		if first["to"] != "s9" || first["method"] != "ask" || first["data"] != 1.0 || first["timeout_ms"] != 300_000.0 || first["idem"] == nil {
			t.Fatalf("the client sent %v", first)
		}
		p.drop()
		p = s.again("s1", true)
		id, again := p.next("call")
		if again["idem"] != first["idem"] {
			t.Fatalf("the client sent %v after %v", again, first)
		}
		p.send(`{"id":%d,"result":{"data":"yes"}}`, id)
		if got, err := answer(); err != nil || string(got.Body) != `"yes"` {
			t.Fatalf("%s, %v", got.Body, err)
		}

		answer = calling(ctx, c, client.CallOptions{Idem: "k"})
		if _, sent := p.next("call"); sent["idem"] != "k" {
			t.Fatalf("the client sent %v", sent)
		}
		p.drop()
		p = s.again("s2", false)
		if _, err := answer(); !errors.Is(err, client.ErrOutcomeUnknown) {
			t.Fatalf("error %v, want that the outcome is unknown", err)
		}
		p.quiet(10 * time.Second)

		answer = calling(ctx, c, client.CallOptions{})
		id, _ = p.next("call")
		refuse(p, id, wire.CodeTimeout) // temporary, but the call may have been made
		_, err := answer()
		wantReason(t, err, wire.CodeTimeout, "no")
		p.quiet(10 * time.Second)
	})
}

// The caller's deadline goes along, and without one a call has 10 s.
func TestCallHasADeadline(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		limited, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		answer := calling(limited, c, client.CallOptions{})
		if _, sent := p.next("call"); sent["timeout_ms"] != 1500.0 {
			t.Errorf("the client sent %v", sent)
		}
		if _, err := answer(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the end of its time", err)
		}
		began := time.Now()
		answer = calling(context.WithoutCancel(ctx), c, client.CallOptions{})
		p.next("call")
		if _, err := answer(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != wire.DefaultCallTimeout {
			t.Errorf("error %v after %v, want the end of its time", err, time.Since(began))
		}
	})
}

// Calls to a client are answered side by side, up to a limit, and what handlers return is fit for others to read.
func TestHandle(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{MaxCalls: 2})
		p := s.welcome("s1")
		release := make(chan struct{})
		c.Handle("wait", func(context.Context, client.Call) (client.Data, error) {
			<-release
			return client.Data{}, errors.New("a secret")
		})
		for id := range 3 {
			p.send(`{"id":%d,"call":{"from":"s9","user":"ann","method":"wait","timeout_ms":5000}}`, id+1)
		}
		if id := p.want("result", `{"error":"this client has as many calls to answer as it can"}`); id != 3 {
			t.Errorf("call %d was too many, want the third", id)
		}
		close(release)
		for range 2 {
			p.want("result", `{"error":"the call failed"}`)
		}
		c.Handle("long", func(context.Context, client.Call) (client.Data, error) {
			return client.Data{}, client.Reject(strings.Repeat("ä", 200))
		})
		p.send(`{"id":4,"call":{"method":"long"}}`)
		p.want("result", fmt.Sprintf(`{"error":%q}`, strings.Repeat("ä", 128)))
		c.Handle("large", func(context.Context, client.Call) (client.Data, error) {
			return wire.BinaryData(make([]byte, wire.MaxFrameBytes)), nil
		})
		p.send(`{"id":5,"call":{"method":"large"}}`)
		if _, body := p.next("result"); body["error"] == nil {
			t.Errorf("a result that does not fit is answered %v", body)
		}
		c.Handle("long", nil)
		p.send(`{"id":6,"call":{"method":"long"}}`)
		p.want("result", `{"error":"this client answers no such calls"}`)
	})
}

// A handler's context ends with the caller's patience, and with the connection.
func TestHandlerContextEnds(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		ended := make(chan error, 1)
		c.Handle("wait", func(ctx context.Context, _ client.Call) (client.Data, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return client.Data{}, nil
		})
		p.send(`{"id":1,"call":{"method":"wait","timeout_ms":2000}}`)
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the handler's context ended with %v", err)
		}
		p.want("result", `{"data":null}`)
		p.send(`{"id":2,"call":{"method":"wait","timeout_ms":60000}}`)
		p.drop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context ended with %v", err)
		}
	})
}
