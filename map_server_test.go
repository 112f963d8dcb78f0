package earshot_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

func TestServerChangesMaps(t *testing.T) {
	srv, ctx := testkit.Start(t, earshot.Options{Namespaces: withMaps()}), t.Context()
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"map:a"}}`)
	c.Want("subscribed", `{"id":1}`)
	c.Want("synced", `{"ch":"map:a"}`)
	r, err := srv.Set(ctx, "map:a", "x", earshot.JSON(1), earshot.SetOptions{If: new(uint64(0))})
	if err != nil || r.Offset != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	c.Want("pub", `{"key":"x","off":1,"data":1}`)
	if _, err := srv.Set(ctx, "map:a", "x", earshot.JSON(2), earshot.SetOptions{If: new(uint64(0))}); !errors.Is(err, engine.ErrVersionMismatch) {
		t.Errorf("error %v, want a version mismatch", err)
	}
	if _, err := srv.Set(ctx, "map:a", "brief", earshot.JSON(2), earshot.SetOptions{TTL: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	c.Want("pub", `{"key":"brief","off":2}`)
	c.Want("pub", `{"key":"brief","off":3,"gone":true}`)
	if _, err := srv.Set(ctx, "map:a", "y", earshot.JSON("why"), earshot.SetOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Delete(ctx, "map:a", "x", earshot.DeleteOptions{If: new(uint64(1))}); err != nil {
		t.Fatal(err)
	}
	keys, err := srv.ReadMap(ctx, "map:a")
	if err != nil || len(keys) != 1 || string(keys["y"].Data.Body) != `"why"` || keys["y"].Offset != 4 {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestServerReadsAMapOfSeveralPages(t *testing.T) {
	namespaces := withMaps()
	large := namespaces["map"]
	large.MaxKeys = 2_000
	namespaces["map"] = large
	srv, ctx := testkit.Start(t, earshot.Options{Namespaces: namespaces}), t.Context()
	const n = 1_200
	for i := range n {
		if _, err := srv.Set(ctx, "map:a", fmt.Sprint(i), earshot.JSON(i), earshot.SetOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := srv.ReadMap(ctx, "map:a")
	if err != nil || len(keys) != n {
		t.Errorf("%d keys, %v; want %d", len(keys), err, n)
	}
}

func TestServerRefusesWhatIsNoMap(t *testing.T) {
	srv, ctx := testkit.Start(t, earshot.Options{Namespaces: withMaps()}), t.Context()
	set := func(channel, key string) error {
		_, err := srv.Set(ctx, channel, key, earshot.JSON(1), earshot.SetOptions{})
		return err
	}
	_, published := srv.Publish(ctx, "map:a", earshot.JSON(1))
	_, read := srv.ReadMap(ctx, "log:a")
	_, late := srv.Set(ctx, "map:a", "x", earshot.JSON(1), earshot.SetOptions{TTL: -1})
	for name, tc := range map[string]struct {
		err  error
		code wire.Code
	}{
		"publish to a map": {published, wire.CodeWrongKind},
		"set in a log":     {set("log:a", "x"), wire.CodeWrongKind},
		"read a log":       {read, wire.CodeWrongKind},
		"set presence":     {set("presence:chat:a", "x"), wire.CodeForbidden},
		"set no key":       {set("map:a", ""), wire.CodeBadFrame},
		"negative TTL":     {late, wire.CodeBadFrame},
	} {
		if p := new(wire.ProtocolError); !errors.As(tc.err, &p) || p.Code != tc.code {
			t.Errorf("%s: %v, want %v", name, tc.err, tc.code)
		}
	}
}

func wantCode(t *testing.T, err error, code wire.Code) {
	t.Helper()
	if p := new(wire.ProtocolError); !errors.As(err, &p) || p.Code != code {
		t.Errorf("error %v, want %v", err, code)
	}
}
