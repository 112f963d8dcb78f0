package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// openMaps are namespaces in which everyone may do everything.
func openMaps() map[string]earshot.Namespace {
	all := testkit.Open()
	all["map"] = earshot.Namespace{
		Kind: earshot.Map, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone,
	}
	room := all["log"]
	room.Presence = earshot.Anyone
	all["room"] = room
	return all
}

// dial connects a client to a real server.
func dial(t *testing.T, srv *testkit.Server) *client.Client {
	t.Helper()
	c, err := client.Connect(context.Background(), srv.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// shortOf returns an event of a map in short: "x=1 v2", "x gone v3", "synced", "reset".
func shortOf(ev client.MapEvent) string {
	switch ev := ev.(type) {
	case client.Change:
		if ev.Gone {
			return fmt.Sprintf("%s gone v%d", ev.Key, ev.Version)
		}
		return fmt.Sprintf("%s=%s v%d", ev.Key, ev.Data.Body, ev.Version)
	case client.Synced:
		return "synced"
	case client.Reset:
		return "reset"
	}
	return "unknown"
}

func wantMapEvents(ctx context.Context, t *testing.T, w *client.Watch, want ...string) {
	t.Helper()
	for _, one := range want {
		ev, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%v, want %s", err, one)
		}
		if got := shortOf(ev); got != one {
			t.Fatalf("event %q, want %q", got, one)
		}
	}
}

func TestMapOfARealServer(t *testing.T) {
	srv, ctx := testkit.Start(t, earshot.Options{Namespaces: openMaps()}), limited(t)
	board := dial(t, srv).Map("map:board")
	set := func(key string, v any, opts client.SetOptions) client.Published {
		t.Helper()
		p, err := board.SetJSON(ctx, key, v, opts)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := set("x", 1, client.SetOptions{}); p.Offset != 1 {
		t.Errorf("version %d, want 1", p.Offset)
	}
	set("y", 2, client.SetOptions{})
	set("x", 3, client.SetOptions{If: new(uint64(1))})
	_, err := board.SetJSON(ctx, "x", 4, client.SetOptions{If: new(uint64(1))})
	if e := new(client.Error); !errors.As(err, &e) || e.Code != wire.CodeVersionMismatch {
		t.Errorf("error %v, want a version mismatch", err)
	}

	w, err := dial(t, srv).Map("map:board").Watch(ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantMapEvents(ctx, t, w, "y=2 v2", "x=3 v3", "synced")
	if _, err := board.Delete(ctx, "y", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantMapEvents(ctx, t, w, "y gone v4")
	if c, ok := w.Get("x"); !ok || string(c.Data.Body) != "3" || w.Len() != 1 || !w.Synced() {
		t.Errorf("the copy has %v, and %d keys", c, w.Len())
	}
	if _, ok := w.Get("y"); ok {
		t.Error("the copy has a key that is gone")
	}
	keys, err := board.Read(ctx)
	if err != nil || len(keys) != 1 || keys["x"].Version != 3 {
		t.Errorf("read %v, %v", keys, err)
	}
	w.Close()
	if _, err := w.Next(ctx); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPresenceOfARealServer(t *testing.T) {
	srv, ctx := testkit.Start(t, earshot.Options{Namespaces: openMaps()}), limited(t)
	ann, ben := dial(t, srv), dial(t, srv)
	join := func(c *client.Client, state string) {
		t.Helper()
		if err := c.Presence("room:a").Join(ctx, wire.JSONData([]byte(state))); err != nil {
			t.Fatal(err)
		}
	}
	join(ann, `"here"`)
	w, err := ben.Presence("room:a").Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next := func() client.PresenceEvent {
		t.Helper()
		ev, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return ev
	}
	here, ok := next().(client.Here)
	if !ok || len(here.Members) != 1 || here.Members[0].Session != ann.Session() || string(here.Members[0].State.Body) != `"here"` {
		t.Fatalf("here: %v", here)
	}
	join(ben, `null`)
	if j, ok := next().(client.Joined); !ok || j.Session != ben.Session() || w.Count() != 2 {
		t.Fatalf("joined: %v, %d", j, w.Count())
	}
	join(ann, `"typing"`)
	if u, ok := next().(client.Updated); !ok || string(u.State.Body) != `"typing"` {
		t.Fatalf("updated: %v", u)
	}
	if err := ann.Presence("room:a").Leave(ctx); err != nil {
		t.Fatal(err)
	}
	if l, ok := next().(client.Left); !ok || l.Session != ann.Session() || string(l.State.Body) != `"typing"` {
		t.Fatalf("left: %v", l)
	}
}

func TestCallsOfARealServer(t *testing.T) {
	srv, ctx := testkit.Start(t, earshot.Options{
		Namespaces: openMaps(),
		OnCall: func(_ context.Context, _ earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			if c.Method == "no" {
				return earshot.Data{}, earshot.Reject("not now")
			}
			return c.Data, nil
		},
		OnSessionCall: func(context.Context, earshot.Session, earshot.CallRequest) error { return nil },
	}), limited(t)
	ann, ben := dial(t, srv), dial(t, srv)
	if got, err := ann.Call(ctx, "echo", wire.JSONData([]byte(`[1]`)), client.CallOptions{}); err != nil || string(got.Body) != `[1]` {
		t.Errorf("echo: %s, %v", got.Body, err)
	}
	_, err := ann.Call(ctx, "no", client.Data{}, client.CallOptions{})
	wantReason(t, err, wire.CodeRejected, "not now")

	ben.Handle("ring", func(_ context.Context, call client.Call) (client.Data, error) {
		if call.From != ann.Session() {
			t.Errorf("called by %q", call.From)
		}
		if call.Data.Binary {
			return call.Data, nil
		}
		return client.Data{}, client.Reject("busy")
	})
	if _, err := ben.Call(ctx, "echo", client.Data{}, client.CallOptions{}); err != nil {
		t.Fatal(err) // now ben has a session
	}
	to := client.CallOptions{To: ben.Session()}
	if got, err := ann.Call(ctx, "ring", wire.BinaryData([]byte{1, 0}), to); err != nil || len(got.Body) != 2 || !got.Binary {
		t.Errorf("ring: %v, %v", got, err)
	}
	_, err = ann.Call(ctx, "ring", client.Data{}, to)
	wantReason(t, err, wire.CodeCallFailed, "busy")
	_, err = ann.Call(ctx, "knock", client.Data{}, to)
	wantReason(t, err, wire.CodeCallFailed, "this client answers no such calls")
}

func wantReason(t *testing.T, err error, code wire.Code, reason string) {
	t.Helper()
	if e := new(client.Error); !errors.As(err, &e) || e.Code != code || e.Reason != reason {
		t.Errorf("error %v, want %v with %q", err, code, reason)
	}
}
