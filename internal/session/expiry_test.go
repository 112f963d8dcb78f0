package session

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// tokenPolicy reads a token as how long it is good from now on, the leeway included. It allows what a grant allows.
type tokenPolicy struct{ openPolicy }

func (tokenPolicy) Connect(_ context.Context, _ Handshake, hello wire.Hello) (Identity, error) {
	if hello.Token == "" {
		return Identity{}, nil
	}
	left, err := time.ParseDuration(hello.Token)
	if err != nil {
		return Identity{}, err
	}
	claims := &auth.Claims{User: "ann", ID: hello.Token}
	claims.Expires = time.Now().Add(left).Add(-claims.Until().Sub(claims.Expires))
	return Identity{User: "ann", Claims: claims}, nil
}

func withTokens(t *testing.T, f func(b *bench)) {
	inBubble(t, Config{}, func(b *bench) {
		b.node.Policy = tokenPolicy{}
		f(b)
	})
}

func (b *bench) hello(token, resume string) wire.Welcome {
	b.Helper()
	b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Token: token, Resume: resume}})
	welcome, ok := b.frames()[0].(wire.Welcome)
	if !ok {
		b.Fatalf("no welcome for %q", token)
	}
	return welcome
}

func (b *bench) deadlines() int {
	b.node.sessions.mu.Lock()
	defer b.node.sessions.mu.Unlock()
	return len(b.node.sessions.expiring.order)
}

func TestSessionEndsWithItsToken(t *testing.T) {
	withTokens(t, func(b *bench) {
		first := b.hello("60s", "")
		time.Sleep(59 * time.Second)
		b.want()
		time.Sleep(2 * time.Second)
		bye, ok := b.frames()[0].(wire.Bye)
		if !ok || bye.Code != wire.CloseTokenExpired {
			t.Fatalf("got %+v", bye)
		}
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Ping{}})
		b.want() // it is not served any more

		b.link.Lost()
		b.connect()
		if again := b.hello("60s", first.Resume); !again.Resumed || again.Session != first.Session {
			t.Errorf("with a fresh token: %+v", again)
		}
		time.Sleep(62 * time.Second)
		b.want("bye")
	})
}

func TestRefreshPutsTheEndOff(t *testing.T) {
	withTokens(t, func(b *bench) {
		b.hello("60s", "")
		for range 3 {
			time.Sleep(50 * time.Second)
			b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Refresh{Token: "60s"}})
			b.want("refreshed")
		}
		b.link.Receive(wire.ClientFrame{ID: 3, Body: wire.Refresh{Token: "5s"}}) // sooner than before
		b.want("refreshed")
		if n := b.deadlines(); n != 1 {
			t.Errorf("%d deadlines of one session", n)
		}
		time.Sleep(7 * time.Second)
		b.want("bye")
	})
}

// What is known of sessions that are over must not wait for the end of their tokens.
func TestDeadlinesEndWithTheirSessions(t *testing.T) {
	withTokens(t, func(b *bench) {
		b.hello("1000h", "")
		if n := b.deadlines(); n != 1 {
			t.Fatalf("%d deadlines", n)
		}
		b.link.Lost()
		time.Sleep(linger + 2*time.Second)
		if n := b.deadlines(); n != 0 {
			t.Errorf("%d deadlines of a session that was not resumed", n)
		}
		b.connect()
		b.hello("1000h", "")
		b.node.DoHere(Order{Whom: Whom{Token: "1000h"}, Action: Disconnect, Code: wire.CloseUnauthorized})
		b.want("bye")
		if n := b.deadlines(); n != 0 {
			t.Errorf("%d deadlines of a session that was ended", n)
		}
	})
}

func TestRevokedWhileItConnects(t *testing.T) {
	withTokens(t, func(b *bench) {
		asked := 0
		b.node.Revoked = func(user string, _ *auth.Claims) bool { // between the first look and the second
			asked++
			return asked > 1
		}
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Token: "60s"}})
		if e, ok := b.frames()[0].(wire.Error); !ok || e.Code != wire.CodeUnauthorized {
			t.Errorf("got %+v", e)
		}
		if n := len(b.node.Sessions(func(*Session) bool { return true })); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestRevokedAtRefresh(t *testing.T) {
	withTokens(t, func(b *bench) {
		b.hello("60s", "")
		b.node.Revoked = func(_ string, claims *auth.Claims) bool { return claims.ID == "70s" }
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Refresh{Token: "70s"}})
		if bye, ok := b.frames()[0].(wire.Bye); !ok || bye.Code != wire.CloseUnauthorized {
			t.Errorf("got %+v", bye)
		}
	})
}

func TestDeadlinesComeInOrder(t *testing.T) {
	var d deadlines
	start := time.Now()
	sessions := make([]*Session, 200)
	at := make(map[*Session]time.Time)
	for i := range sessions {
		sessions[i] = new(Session)
	}
	for range 2_000 {
		s := sessions[rand.N(len(sessions))]
		when := start.Add(rand.N(time.Hour))
		if rand.N(4) == 0 {
			when = time.Time{}
		}
		d.set(s, when)
		at[s] = when
	}
	for minute := time.Duration(0); minute <= time.Hour; minute += time.Minute {
		now := start.Add(minute)
		for _, s := range d.take(now) {
			if when := at[s]; when.IsZero() || when.After(now) || when.Before(now.Add(-time.Minute)) {
				t.Errorf("a deadline of %v came at %v", when, now)
			}
			delete(at, s)
		}
	}
	for _, when := range at {
		if !when.IsZero() {
			t.Errorf("a deadline of %v did not come", when)
		}
	}
	if len(d.of) != 0 {
		t.Errorf("%d are left", len(d.of))
	}
}
