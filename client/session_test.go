package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// script runs a test with fake time, a scripted server and a context that ends before the test would hang.
func script(t *testing.T, test func(t *testing.T, ctx context.Context, s *server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour)
		defer cancel()
		test(t, ctx, startServer(t))
	})
}

func TestHello(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		tokens := []string{"first", "second"}
		c := s.connect(client.Options{Token: func(context.Context) (string, error) {
			token := tokens[0]
			tokens = tokens[1:]
			return token, nil
		}})
		p := s.accept()
		id, first := p.next("hello")
		sender, _ := first["sender"].(string)
		if first["token"] != "first" || first["client"] != "earshot-go" || first["heartbeat_ms"] != 25000.0 || len(sender) < 16 || first["resume"] != nil {
			t.Errorf("hello %v", first)
		}
		p.send(`{"id":%d,"welcome":{"session":"s1","resume":"secret","user":"ann"}}`, id)
		synctest.Wait()
		if got := c.State(); got.Phase != client.PhaseOpen || got.Session != "s1" || got.User != "ann" || got.Resumed {
			t.Errorf("state %+v", got)
		}
		p.drop()

		p = s.accept()
		id, second := p.next("hello")
		if second["token"] != "second" || second["sender"] != sender || second["resume"] != "secret" {
			t.Errorf("second hello %v, want a fresh token, the same sender and resume", second)
		}
		p.send(`{"id":%d,"welcome":{"session":"s1","resume":"secret","resumed":true}}`, id)
		synctest.Wait()
		if got := c.State(); got.Phase != client.PhaseOpen || !got.Resumed || got.Err != nil {
			t.Errorf("state after resume %+v", got)
		}
	})
}

func TestEndsForGood(t *testing.T) {
	tests := []struct {
		name string
		end  func(p *peer, helloID uint64)
		code wire.Code
	}{
		{"hello refused", func(p *peer, id uint64) { p.send(`{"id":%d,"error":{"code":200,"name":"unauthorized"}}`, id) }, wire.CodeUnauthorized},
		{"bye instead of welcome", func(p *peer, _ uint64) { p.send(`{"bye":{"code":4001,"reason":"no"}}`) }, wire.CloseUnauthorized},
		{"close code instead of welcome", func(p *peer, _ uint64) { _ = p.conn.Close(4001, "") }, wire.CloseUnauthorized},
		{"token expired and no source of others", func(p *peer, id uint64) { p.send(`{"id":%d,"error":{"code":201}}`, id) }, wire.CodeTokenExpired},
		{"bye in a session", func(p *peer, id uint64) {
			p.send(`{"id":%d,"welcome":{"session":"s"}}`, id)
			p.send(`{"bye":{"code":4002,"name":"disconnected","reason":"banned"}}`)
		}, wire.CloseDisconnected},
		{"close code in a session", func(p *peer, id uint64) {
			p.send(`{"id":%d,"welcome":{"session":"s"}}`, id)
			_ = p.conn.Close(4000, "")
		}, wire.CloseBadFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script(t, func(t *testing.T, ctx context.Context, s *server) {
				c := s.connect(client.Options{})
				p := s.accept()
				id, _ := p.next("hello")
				tt.end(p, id)
				<-c.Done()
				var e *client.Error
				if got := c.State(); got.Phase != client.PhaseClosed || !errors.As(got.Err, &e) || e.Code != tt.code {
					t.Errorf("state %+v, want closed with code %d", got, tt.code)
				}
				if _, err := c.Publish(ctx, "log:a", client.Message{}, client.PublishOptions{}); !errors.As(err, &e) || e.Code != tt.code {
					t.Errorf("publish after the end: %v", err)
				}
			})
		})
	}
}

func TestComesBack(t *testing.T) {
	tests := []struct {
		name     string
		end      func(p *peer)
		min, max time.Duration
	}{
		{"connection lost", func(p *peer) { p.drop() }, 0, 250 * time.Millisecond},
		{"named delay", func(p *peer) { p.send(`{"bye":{"code":4100,"delay_ms":9000}}`) }, 9 * time.Second, 9250 * time.Millisecond},
		{"absurd delay", func(p *peer) { p.send(`{"bye":{"code":4100,"delay_ms":900000000000}}`) }, 10 * time.Minute, 10*time.Minute + 250*time.Millisecond},
		{"at once", func(p *peer) { p.send(`{"bye":{"code":4200}}`) }, 0, 0},
		{"malformed frame", func(p *peer) { p.send(`{"pub":{"ch":7}}`) }, 0, 250 * time.Millisecond},
		{"not JSON", func(p *peer) { p.send(`{`) }, 0, 250 * time.Millisecond},
		{"a close code of RFC 6455", func(p *peer) { _ = p.conn.Close(1001, "") }, 0, 250 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script(t, func(t *testing.T, _ context.Context, s *server) {
				c := s.connect(client.Options{})
				p := s.welcome("s1")
				time.Sleep(20 * time.Second)
				at := time.Now()
				tt.end(p)
				s.welcome("s1")
				if wait := time.Since(at); wait < tt.min || wait > tt.max {
					t.Errorf("came back after %v, want %v to %v", wait, tt.min, tt.max)
				}
				synctest.Wait()
				if got := c.State(); got.Phase != client.PhaseOpen {
					t.Errorf("state %+v", got)
				}
			})
		})
	}
}

func TestBackoffGrowsAndIsCapped(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		var longest time.Duration
		s.connect(client.Options{BackoffMax: 4 * time.Second})
		at := time.Now()
		for range 50 {
			s.accept().drop()
			longest = max(longest, time.Since(at))
			at = time.Now()
		}
		// Of some 45 waits that are chosen from 0 to 4 s, the longest is under 2 s once in 2^45 runs.
		if longest < 2*time.Second || longest > 4*time.Second {
			t.Errorf("longest wait %v, want 2 s to 4 s", longest)
		}
	})
}

func TestReconnectAtOnceIsNoLoop(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{})
		at := time.Now()
		for range 20 {
			s.welcome("s1").send(`{"bye":{"code":4200}}`)
		}
		if d := time.Since(at); d < 5*time.Second {
			t.Errorf("20 connections in %v", d)
		}
	})
}

func TestExpiredTokenIsReplaced(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		var asked int
		c := s.connect(client.Options{Token: func(context.Context) (string, error) {
			asked++
			return "token", nil
		}})
		p := s.welcome("s1")
		p.send(`{"error":{"code":201,"name":"token_expired"}}`)
		for range 2 {
			p = s.accept()
			id, _ := p.next("hello")
			p.send(`{"id":%d,"error":{"code":201,"name":"token_expired"}}`, id)
		}
		<-c.Done()
		var e *client.Error
		if err := c.State().Err; !errors.As(err, &e) || e.Code != wire.CodeTokenExpired || asked != 3 {
			t.Errorf("ended with %v after %d tokens, want token_expired after 3", err, asked)
		}
	})
}

func TestTokenRefusedBySource(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		c := s.connect(client.Options{Token: func(context.Context) (string, error) {
			return "", &client.Error{Code: wire.CodeUnauthorized, Reason: "signed out"}
		}})
		<-c.Done()
		if got := c.State(); got.Phase != client.PhaseClosed {
			t.Errorf("state %+v", got)
		}
	})
}

func TestHandshakeRefused(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.refuse <- 503
		s.connect(client.Options{})
		at := time.Now()
		s.welcome("s1")
		if wait := time.Since(at); wait < 7*time.Second || wait > 8*time.Second {
			t.Errorf("came back after %v, want Retry-After's 7 s and a little", wait)
		}
	})
}

func TestNoWebSocketThere(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.refuse <- 404
		var reasons []error
		s.connect(client.Options{OnState: func(s client.State) { reasons = append(reasons, s.Err) }})
		s.welcome("s1")
		synctest.Wait()
		if len(reasons) == 0 || reasons[0] == nil || !strings.Contains(reasons[0].Error(), "HTTP 404 Not Found") {
			t.Errorf("reasons %v", reasons)
		}
	})
}

func TestNoWelcome(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{})
		at := time.Now()
		s.accept().wait()
		if waited := time.Since(at); waited != 10*time.Second {
			t.Errorf("gave up after %v, want 10 s", waited)
		}
		s.welcome("s1")
	})
}
