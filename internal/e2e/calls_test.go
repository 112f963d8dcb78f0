package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// tallies count how often each call was made.
type tallies struct {
	mu   sync.Mutex
	made map[string]int
}

func (n *tallies) note(call string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.made[call]++
}

// wantOnce checks that each of the calls was made once.
func (n *tallies) wantOnce(t *testing.T, calls int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for call, times := range n.made {
		if times != 1 {
			t.Errorf("call %s was made %d times", call, times)
		}
	}
	if len(n.made) != calls {
		t.Errorf("%d calls were made, want %d", len(n.made), calls)
	}
}

func allowSessionCalls(context.Context, earshot.Session, earshot.CallRequest) error { return nil }

// Clients call the server, and another session, over a network that cuts every connection at a random byte: each call is
// made once, and its caller gets its answer.
func TestCutsOfCalls(t *testing.T) {
	const (
		callers = 6
		each    = 200
		seed    = 7
	)
	atServer, atSession := &tallies{made: make(map[string]int)}, &tallies{made: make(map[string]int)}
	srv := testkit.Start(t, earshot.Options{
		OnSessionCall: allowSessionCalls,
		OnCall: func(_ context.Context, _ earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			atServer.note(string(c.Data.Body))
			return c.Data, nil
		},
	})
	network := startCutter(t, hostOf(srv.URL), seed, 200, 10_000, 2)
	crew := newCrew(t)
	called := connect(t, srv.URL, client.Options{})
	called.Handle("echo", func(_ context.Context, call client.Call) (client.Data, error) {
		atSession.note(string(call.Data.Body))
		return call.Data, nil
	})
	if _, err := called.Call(crew.ctx, "hello", client.Data{}, client.CallOptions{}); err != nil {
		t.Fatal(err)
	}
	atServer.made = make(map[string]int)
	for i := range callers {
		c := connect(t, network.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			for n := range each {
				data := fmt.Sprintf(`"%d/%d"`, i, n)
				for _, to := range []string{"", called.Session()} {
					if err := echo(ctx, c, data, to); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	crew.wait()
	atServer.wantOnce(t, callers*each)
	atSession.wantOnce(t, callers*each)
	t.Logf("%d calls each to the server and to a session, %d cuts", callers*each, network.cuts.Load())
	if network.cuts.Load() < 50 {
		t.Error("the network was too good for this test to mean much")
	}
}

// echo makes a call and compares the answer.
func echo(ctx context.Context, c *client.Client, data, to string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	got, err := c.Call(ctx, "echo", wire.JSONData([]byte(data)), client.CallOptions{To: to})
	if err == nil && string(got.Body) != data {
		err = fmt.Errorf("call %s of %q is answered %s", data, to, got.Body)
	}
	return err
}

func hostOf(url string) string { return url[len("http://"):] }

// A call whose time is over ends for both: the caller gets the error, and the handler's context ends.
func TestDeadlineOfCalls(t *testing.T) {
	ended := make(chan time.Duration, 2)
	wait := func(ctx context.Context) {
		began := time.Now()
		<-ctx.Done()
		ended <- time.Since(began)
	}
	srv := testkit.Start(t, earshot.Options{
		OnSessionCall: allowSessionCalls,
		OnCall: func(ctx context.Context, _ earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			if c.Method == "wait" {
				wait(ctx)
			}
			return earshot.Data{}, ctx.Err()
		},
	})
	crew := newCrew(t)
	caller, called := connect(t, srv.URL, client.Options{}), connect(t, srv.URL, client.Options{})
	called.Handle("wait", func(ctx context.Context, _ client.Call) (client.Data, error) {
		wait(ctx)
		return client.Data{}, ctx.Err()
	})
	if _, err := called.Call(crew.ctx, "hello", client.Data{}, client.CallOptions{}); err != nil {
		t.Fatal(err)
	}
	const limit = 200 * time.Millisecond
	for _, to := range []string{"", called.Session()} {
		ctx, cancel := context.WithTimeout(crew.ctx, limit)
		_, err := caller.Call(ctx, "wait", client.Data{}, client.CallOptions{To: to})
		cancel()
		e := new(client.Error)
		if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &e) || e.Code != wire.CodeTimeout) {
			t.Errorf("call of %q: %v, want the end of its time", to, err)
		}
		if after := <-ended; after > limit+5*time.Second {
			t.Errorf("the handler of %q had %v, want %v", to, after, limit)
		}
	}
	// The server's application calls a session.
	called.Handle("who", func(_ context.Context, call client.Call) (client.Data, error) {
		return client.JSON(call.From)
	})
	if got, err := srv.Call(crew.ctx, called.Session(), "who", earshot.Data{}); err != nil || string(got.Body) != `""` {
		t.Errorf("%s, %v", got.Body, err)
	}
	crew.stop(nil)
}
