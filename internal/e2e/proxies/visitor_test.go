package proxies

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
)

// visitor is somebody who listens to a channel through a proxy.
type visitor struct {
	t       *testing.T
	name    string
	channel string
	next    func() (data string, err error)
	opened  atomic.Int32 // how often it had a connection
}

func newVisitor(t *testing.T, name string) *visitor {
	return &visitor{t: t, name: name, channel: "log:" + strings.ReplaceAll(name, " ", "-")}
}

// visit connects a client by one transport.
func visit(t *testing.T, name, base string, transport client.Transport) *visitor {
	t.Helper()
	v := newVisitor(t, name)
	c := connect(t, base, transport, func(s client.State) {
		if s.Phase == client.PhaseOpen {
			v.opened.Add(1)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sub, err := c.Subscribe(ctx, v.channel, client.SubscribeOptions{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	v.next = func() (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		event, err := sub.Next(ctx)
		if err != nil {
			return "", err
		}
		p, ok := event.(client.Publication)
		if !ok {
			return "", fmt.Errorf("got %+v", event)
		}
		return string(p.Data.Body), nil
	}
	return v
}

func connect(t *testing.T, base string, transport client.Transport, told func(client.State)) *client.Client {
	t.Helper()
	c, err := client.Connect(t.Context(), base, client.Options{Transport: transport, OnState: told})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// visitPlain reads the channel without a client, as a browser's EventSource does.
func visitPlain(t *testing.T, name, base string) *visitor {
	t.Helper()
	v := newVisitor(t, name)
	v.opened.Store(1)
	s := testkit.Events(t, base+"/live/sse/"+v.channel, "")
	s.Want("subscribed", `{}`)
	v.next = func() (string, error) { return fmt.Sprintf("%q", s.Want("", `{"data":"*"}`)["data"]), nil }
	return v
}

// arrives publishes at the server, and waits for it here.
func (v *visitor) arrives(srv *testkit.Server, text string) {
	v.t.Helper()
	began := time.Now()
	if _, err := srv.Publish(v.t.Context(), v.channel, earshot.JSON(text)); err != nil {
		v.t.Fatal(err)
	}
	if got, err := v.next(); err != nil || got != `"`+text+`"` {
		v.t.Errorf("%s: got %s, %v; want %q", v.name, got, err, text)
	}
	v.t.Logf("%s: %q took %v", v.name, text, time.Since(began).Round(time.Millisecond))
}
