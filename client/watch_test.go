package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// watch watches map:a while p answers, and returns the watch and the frame that asked for it.
func watch(ctx context.Context, t *testing.T, c *client.Client, p *peer, opts client.WatchOptions) (w *client.Watch, asked map[string]any) {
	t.Helper()
	var watching sync.WaitGroup
	watching.Go(func() {
		var err error
		if w, err = c.Map("map:a").Watch(ctx, opts); err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	id, asked := p.next("sub")
	p.send(`{"id":%d,"subscribed":{"ch":"map:a","pos":"p0"}}`, id)
	watching.Wait()
	if w == nil {
		t.FailNow()
	}
	return w, asked
}

// set sends that a key has a value whose text is its version.
func (p *peer) set(key string, version int) {
	p.t.Helper()
	p.send(`{"pub":{"ch":"map:a","off":%d,"pos":"p%d","time":1700000000000,"key":%q,"data":%d}}`, version, version, key, version)
}

func (p *peer) deleted(key string, version int) {
	p.t.Helper()
	p.send(`{"pub":{"ch":"map:a","off":%d,"pos":"p%d","time":1700000000000,"key":%q,"gone":true}}`, version, version, key)
}

func (p *peer) synced(position string) {
	p.t.Helper()
	p.send(`{"synced":{"ch":"map:a","pos":%q}}`, position)
}

// settled waits until the client has acted on all that was sent.
func (p *peer) settled() {
	p.t.Helper()
	p.send(`{"ping":{}}`)
	p.next("pong")
}

// A consumer that is slow is told of each key once, in the order in which they changed first, and never of one that came
// and went meanwhile.
func TestWatchConflates(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		w, asked := watch(ctx, t, c, p, client.WatchOptions{Every: 100 * time.Millisecond})
		if asked["every_ms"] != 100.0 || asked["since"] != nil {
			t.Errorf("the client asked for %v", asked)
		}
		p.set("x", 1)
		wantMapEvents(ctx, t, w, "x=1 v1")
		p.synced("p1")
		for version := 2; version < 100; version += 2 {
			p.set("y", version)
			p.set("x", version+1)
		}
		p.set("brief", 200)
		p.deleted("brief", 201)
		p.deleted("x", 202)
		p.settled()
		if _, ok := w.Get("x"); ok || w.Len() != 1 || len(w.All()) != 1 {
			t.Errorf("the copy has %v", w.All())
		}
		wantMapEvents(ctx, t, w, "synced", "y=98 v98", "x gone v202")
		p.synced("p202") // is nothing new
		p.set("x", 203)
		p.set("y", 97) // never goes back
		p.settled()
		wantMapEvents(ctx, t, w, "x=203 v203")
	})
}

// A watch goes on after what it has, and after a reset begins anew.
func TestWatchComesBack(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		w, _ := watch(ctx, t, c, p, client.WatchOptions{})
		p.set("x", 1)
		p.synced("p5")
		p.settled()
		p.drop()

		p = s.again("s1", true)
		id := p.want("sub", `{"ch":"map:a","since":"p5"}`)
		p.send(`{"id":%d,"subscribed":{"ch":"map:a","pos":"p5"}}`, id)
		p.set("y", 6)
		p.synced("p6")
		p.settled()
		wantMapEvents(ctx, t, w, "x=1 v1", "synced", "y=6 v6")
		p.set("z", 7)
		p.send(`{"reset":{"ch":"map:a","pos":"q0","why":"epoch"}}`)
		p.set("x", 1)
		p.settled()
		if w.Synced() || w.Len() != 1 {
			t.Errorf("synced: %v, with %d keys, after a reset", w.Synced(), w.Len())
		}
		p.synced("q1")
		wantMapEvents(ctx, t, w, "reset", "x=1 v1", "synced")
		p.drop()
		s.again("s1", true).want("sub", `{"ch":"map:a","since":"q1"}`)
	})
}

// A watch ends with a map that is too large for the client, and with a channel that is no map.
func TestWatchEnds(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{MapBytes: 3000})
		p := s.welcome("s1")
		w, _ := watch(ctx, t, c, p, client.WatchOptions{})
		large := strings.Repeat("x", 1000)
		for version := 1; version < 10; version++ { // one key, however often it is set
			p.send(`{"pub":{"ch":"map:a","off":%d,"pos":"p","time":1,"key":"x","data":%q}}`, version, large)
		}
		p.settled()
		if w.Len() != 1 {
			t.Fatalf("%d keys", w.Len())
		}
		for version := 10; version < 13; version++ {
			p.send(`{"pub":{"ch":"map:a","off":%d,"pos":"p","time":1,"key":"%d","data":%q}}`, version, version, large)
		}
		p.want("unsub", `{"ch":"map:a"}`)
		wantEnd(ctx, t, w, client.ErrMapTooLarge)

		w, _ = watch(ctx, t, c, p, client.WatchOptions{})
		p.pub("map:a", 1)
		p.want("unsub", `{"ch":"map:a"}`)
		var e *client.Error
		for range 2 {
			if _, err := w.Next(ctx); !errors.As(err, &e) || e.Code != wire.CodeWrongKind {
				t.Fatalf("error %v, want that it is no map", err)
			}
		}
		if _, err := c.Map("map:a").Watch(ctx, client.WatchOptions{Every: time.Hour}); err == nil {
			t.Error("Every may be an hour")
		}
	})
}

// wantEnd reads to the end of a watch.
func wantEnd(ctx context.Context, t *testing.T, w *client.Watch, want error) {
	t.Helper()
	for {
		if _, err := w.Next(ctx); err != nil {
			if !errors.Is(err, want) {
				t.Fatalf("error %v, want %v", err, want)
			}
			return
		}
	}
}
