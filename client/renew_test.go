package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// numbered returns a source of tokens: t1, t2 and so on. It fails when it is asked for the n-th of failing.
func numbered(failing int) func(context.Context) (string, error) {
	n := 0
	return func(context.Context) (string, error) {
		n++
		if n == failing {
			return "", errors.New("the backend is away")
		}
		return fmt.Sprintf("t%d", n), nil
	}
}

// expiring waits for the next connection and opens a session on it whose token is good for so long.
func (s *server) expiring(left time.Duration) *peer {
	s.t.Helper()
	p := s.accept()
	id, _ := p.next("hello")
	p.send(`{"id":%d,"welcome":{"session":"s1","resume":"r1","heartbeat_ms":25000,"expires_ms":%d}}`, id, left.Milliseconds())
	return p
}

// A client gives the server a fresh token before the one it has expires, again and again, on the same connection.
func TestTokenIsRenewed(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{Token: numbered(0)})
		p := s.expiring(20 * time.Second)
		for _, want := range []struct {
			token string
			after time.Duration
		}{{"t2", 18 * time.Second}, {"t3", 9 * time.Second}, {"t4", 9 * time.Second}} {
			at := time.Now()
			id := p.want("refresh", fmt.Sprintf(`{"token":%q}`, want.token))
			if d := time.Since(at); d != want.after {
				t.Errorf("%s came after %v, want %v", want.token, d, want.after)
			}
			p.send(`{"id":%d,"refreshed":{"expires_ms":10000}}`, id)
		}
		if len(s.requests) != 1 {
			t.Errorf("%d connections", len(s.requests))
		}
	})
}

func TestTokenSourceFailsForAWhile(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{Token: numbered(2)})
		p := s.expiring(10 * time.Second)
		at := time.Now()
		p.want("refresh", `{"token":"t3"}`)
		if d := time.Since(at); d != 14*time.Second {
			t.Errorf("after %v, want 9 s and 5 s more", d)
		}
	})
}

// A connection that ends because the token has expired is followed at once by one with a fresh token.
func TestTokenHasExpired(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{Token: numbered(0)})
		p := s.expiring(0) // a server that does not say
		p.quiet(20 * time.Second)
		at := time.Now()
		p.send(`{"bye":{"code":4202,"name":"token_expired","reason":"the token has expired"}}`)
		again := s.accept()
		if _, hello := again.next("hello"); hello["token"] != "t2" || hello["resume"] != "r1" || time.Since(at) > time.Second {
			t.Errorf("after %v: %v", time.Since(at), hello)
		}
	})
}

// A client with one token and no source of others has nothing to renew it with.
func TestNothingToRenew(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{})
		s.expiring(10 * time.Second).quiet(20 * time.Second)
	})
}
