package client_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// setOwned sets the key "x" of map:a, owned, while p answers with a version, and returns its frame without its id.
func setOwned(ctx context.Context, t *testing.T, c *client.Client, p *peer, version int, ttl time.Duration, extra string) map[string]any {
	t.Helper()
	var setting sync.WaitGroup
	setting.Go(func() {
		if _, err := c.Map("map:a").SetJSON(ctx, "x", 1, client.SetOptions{Own: true, TTL: ttl}); err != nil {
			t.Errorf("set: %v", err)
		}
	})
	id, body := p.next("set")
	p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p%d","off":%d%s,"durability":"fsync"}}`, id, version, version, extra)
	setting.Wait()
	return body
}

// wantSet reads a frame that sets the key "x" under a condition, and returns its id.
func wantSet(t *testing.T, p *peer, condition float64) uint64 {
	t.Helper()
	id, body := p.next("set")
	if body["key"] != "x" || body["if"] != condition || body["own"] != true || body["idem"] == "" || body["data"] != 1.0 {
		text, _ := json.Marshal(body) // of what was decoded it cannot fail
		t.Fatalf("the client sent %s, want the key x if its version is %v", text, condition)
	}
	return id
}

func refuse(p *peer, id uint64, code wire.Code) {
	p.send(`{"id":%d,"error":{"code":%d,"reason":"no"}}`, id, code)
}

// again opens a connection in the session that the client had, or in another one.
func (s *server) again(session string, resumed bool) *peer {
	s.t.Helper()
	p := s.accept()
	id, _ := p.next("hello")
	p.send(`{"id":%d,"welcome":{"session":%q,"resume":"r","resumed":%v,"heartbeat_ms":25000}}`, id, session, resumed)
	return p
}

// A key that this session owns is set again if it is no longer there; one that an earlier session owned, in place of what
// that one had set.
func TestOwnedKeyIsSetAgain(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		setOwned(ctx, t, c, p, 5, 0, "")
		p.drop()

		p = s.again("s1", true)
		refuse(p, wantSet(t, p, 0), wire.CodeVersionMismatch) // it is there
		p.quiet(10 * time.Second)
		p.drop()

		p = s.again("s1", true)
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p7","off":7}}`, wantSet(t, p, 0)) // it was gone
		p.quiet(10 * time.Second)
		p.drop()

		p = s.again("s2", false)
		wantSet(t, p, 7)
		p.drop() // the answer is lost, so the same is said again
		p = s.again("s3", false)
		again := wantSet(t, p, 7)
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p8","off":8,"dup":true}}`, again)
		// It was made in an earlier session, so it must become this one's.
		refuse(p, wantSet(t, p, 8), wire.CodeVersionMismatch) // that session has ended meanwhile
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p10","off":10}}`, wantSet(t, p, 0))
		p.quiet(10 * time.Second)
	})
}

// A key that somebody else has set meanwhile is theirs, and one whose time is over is nobody's.
func TestOwnedKeyIsLost(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		setOwned(ctx, t, c, p, 5, 0, "")
		p.drop()
		p = s.again("s2", false)
		refuse(p, wantSet(t, p, 5), wire.CodeVersionMismatch)
		refuse(p, wantSet(t, p, 0), wire.CodeVersionMismatch)
		p.drop()
		p = s.again("s3", false)
		p.quiet(10 * time.Second)

		setOwned(ctx, t, c, p, 20, 20*time.Second, "")
		time.Sleep(20 * time.Second)
		p.drop()
		s.again("s4", false).quiet(10 * time.Second)
	})
}

// An answer that an earlier connection lost does not say whose the key is: that is found out.
func TestOwnedKeyOfARepeatedSet(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		setOwned(ctx, t, c, p, 5, 0, `,"dup":true`)
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p6","off":6}}`, wantSet(t, p, 5))
		p.quiet(10 * time.Second)
	})
}

// What is no longer wanted is not said again, and what is refused for now is.
func TestWhatIsSaidAgain(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		answered := func(kind string, ask func() error) {
			t.Helper()
			var asking sync.WaitGroup
			asking.Go(func() {
				if err := ask(); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			})
			id, _ := p.next(kind)
			p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p1","off":1}}`, id)
			asking.Wait()
		}
		room := c.Presence("room:a")
		answered("join", func() error { return room.Join(ctx, wire.JSONData([]byte(`"here"`))) })
		setOwned(ctx, t, c, p, 5, 0, "")
		answered("del", func() error {
			_, err := c.Map("map:a").Delete(ctx, "x", client.DeleteOptions{})
			return err
		})
		p.drop()

		p = s.again("s1", true)
		refuse(p, p.want("join", `{"ch":"room:a","data":"here"}`), wire.CodeUnavailable)
		id := p.want("join", `{"ch":"room:a","data":"here"}`)
		p.send(`{"id":%d,"published":{"ch":"presence:room:a","dup":true}}`, id)
		p.quiet(10 * time.Second)
		answered("leave", func() error { return room.Leave(ctx) })
		p.drop()
		s.again("s2", false).quiet(10 * time.Second)
	})
}

// What an unanswered change replaces is not said again before it or after it.
func TestChangeUnderWay(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		setOwned(ctx, t, c, p, 5, 0, "")
		var setting sync.WaitGroup
		setting.Go(func() {
			if _, err := c.Map("map:a").SetJSON(ctx, "x", 2, client.SetOptions{Own: true}); err != nil {
				t.Errorf("set: %v", err)
			}
		})
		_, first := p.next("set")
		p.drop()
		p = s.again("s2", false)
		id, again := p.next("set")
		if again["idem"] != first["idem"] || again["data"] != 2.0 {
			t.Fatalf("the client sent %v after %v", again, first)
		}
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p6","off":6,"dup":true}}`, id)
		setting.Wait()
		// It is the earlier session's: so it is set in place of that.
		id, last := p.next("set")
		if last["data"] != 2.0 || last["if"] != 6.0 {
			t.Fatalf("the client sent %v, want the second value in place of version 6", last)
		}
		p.send(`{"id":%d,"published":{"ch":"map:a","pos":"p7","off":7}}`, id)
		p.quiet(10 * time.Second)
	})
}
