package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/client"
)

func TestSilenceEndsTheConnection(t *testing.T) {
	script(t, func(t *testing.T, _ context.Context, s *server) {
		s.connect(client.Options{})
		p := s.welcome("s1")
		at := time.Now()
		p.next("ping") // asked before the connection is given up
		if d := time.Since(at); d != 30*time.Second {
			t.Errorf("asked after %v, want 30 s", d)
		}
		p.wait()
		if d := time.Since(at); d != 35*time.Second {
			t.Errorf("gave up after %v, want 25 s and a grace of 10 s", d)
		}
		s.welcome("s1")
	})
}

func TestAnythingIsLife(t *testing.T) {
	life := map[string]func(p *peer){
		"heartbeat": func(p *peer) { p.send(`{"ping":{}}`); p.next("pong") },
		"ping of WebSocket": func(p *peer) {
			if err := p.conn.Ping(context.Background()); err != nil {
				p.t.Errorf("ping: %v", err)
			}
		},
		"answer to a question": func(p *peer) {
			time.Sleep(6 * time.Second)
			id, _ := p.next("ping")
			p.send(`{"id":%d,"pong":{}}`, id)
		},
		"publication": func(p *peer) { p.pub("log:other", 1) },
	}
	for name, sign := range life {
		t.Run(name, func(t *testing.T) {
			script(t, func(t *testing.T, _ context.Context, s *server) {
				c := s.connect(client.Options{})
				p := s.welcome("s1")
				for range 20 {
					time.Sleep(25 * time.Second)
					sign(p)
				}
				if got := c.State(); got.Phase != client.PhaseOpen || len(s.requests) != 1 {
					t.Errorf("state %+v after %d connections", got, len(s.requests))
				}
			})
		})
	}
}

func TestCloseIsPolite(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		var states []client.Phase
		c := s.connect(client.Options{OnState: func(s client.State) { states = append(states, s.Phase) }})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		p.pub("log:a", 1)
		waiting := publish(ctx, t, c, 1)
		p.next("pub")
		for range 2 {
			if err := c.Close(ctx); err != nil {
				t.Error(err)
			}
		}
		p.wait()
		if !strings.Contains(p.err.Error(), "StatusNormalClosure") {
			t.Errorf("client went with %v", p.err)
		}
		if got := <-waiting; !errors.Is(got.err, client.ErrClosed) {
			t.Errorf("publish in flight: %v", got.err)
		}
		if _, err := sub.Next(ctx); !errors.Is(err, client.ErrClosed) {
			t.Errorf("next: %v", err)
		}
		if _, err := c.Subscribe(ctx, "log:b", client.SubscribeOptions{}); !errors.Is(err, client.ErrClosed) {
			t.Errorf("subscribe: %v", err)
		}
		if _, err := c.History(ctx, "log:b", client.HistoryOptions{}); !errors.Is(err, client.ErrClosed) {
			t.Errorf("history: %v", err)
		}
		if got := c.State(); got.Phase != client.PhaseClosed || !errors.Is(got.Err, client.ErrClosed) {
			t.Errorf("state %+v", got)
		}
		if len(states) != 2 || states[0] != client.PhaseOpen || states[1] != client.PhaseClosed {
			t.Errorf("states %v", states)
		}
	})
}

func TestCloseAtAnyTime(t *testing.T) {
	tests := map[string]func(ctx context.Context, s *server, c *client.Client){
		"before the handshake": func(context.Context, *server, *client.Client) {},
		"before welcome":       func(_ context.Context, s *server, _ *client.Client) { s.accept().next("hello") },
		"while waiting to come back": func(_ context.Context, s *server, _ *client.Client) {
			s.welcome("s1").send(`{"bye":{"code":4100,"delay_ms":60000}}`)
			synctest.Wait()
		},
		"while a publish waits to be repeated": func(ctx context.Context, s *server, c *client.Client) {
			p := s.welcome("s1")
			publish(ctx, s.t, c, 1)
			id, _ := p.next("pub")
			p.send(`{"id":%d,"error":{"code":301,"retry_ms":60000}}`, id)
			synctest.Wait()
		},
	}
	for name, until := range tests {
		t.Run(name, func(t *testing.T) {
			script(t, func(t *testing.T, ctx context.Context, s *server) {
				c := s.connect(client.Options{})
				until(ctx, s, c)
				at := time.Now()
				if err := c.Close(ctx); err != nil {
					t.Error(err)
				}
				if d := time.Since(at); d > 0 {
					t.Errorf("close took %v", d)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForADeadServer(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		s.welcome("s1")
		synctest.Wait()
		s.dark.Store(true)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		at := time.Now()
		if err := c.Close(short); !errors.Is(err, context.DeadlineExceeded) || time.Since(at) != time.Second {
			t.Errorf("close: %v after %v, want the deadline after 1 s", err, time.Since(at))
		}
	})
}

func TestDarkNetworkIsNoticed(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		p.pub("log:a", 1)
		wantEvents(ctx, t, sub, "1")
		s.dark.Store(true)
		done := publish(ctx, t, c, 1)
		time.Sleep(36 * time.Second)
		s.dark.Store(false)
		p = s.welcome("s1")
		p.want("sub", `{"ch":"log:a","since":"p1"}`)
		id, _ := p.wantPublish("log:a", 1.0)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, id)
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
	})
}

func TestContextOfConnectEndsTheClient(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		life, cancel := context.WithCancel(ctx)
		c := s.connectFor(life, client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		cancel()
		<-c.Done()
		if _, err := sub.Next(ctx); !errors.Is(err, client.ErrClosed) {
			t.Errorf("next: %v", err)
		}
	})
}

func TestBadOptions(t *testing.T) {
	tests := []struct {
		address string
		opts    client.Options
		want    string
	}{
		{"ftp://host", client.Options{}, "want http://host:port"},
		{"127.0.0.1:8000", client.Options{}, "server address"},
		{"http://", client.Options{}, "no host"},
		{"http://host?token=1", client.Options{}, "query"},
		{"http://user:secret@host", client.Options{}, "user"},
		{"http://host", client.Options{Heartbeat: time.Second}, "heartbeat 1s is outside"},
		{"http://host", client.Options{BackoffMax: -1}, "BackoffMax is negative"},
		{"http://host", client.Options{QueueEvents: -1}, "QueueEvents is negative"},
		{"http://host", client.Options{MaxPendingBytes: 1}, "MaxPendingBytes 1 does not hold"},
	}
	for _, tt := range tests {
		_, err := client.Connect(t.Context(), tt.address, tt.opts)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("connect to %q: %v, want %q", tt.address, err, tt.want)
		}
	}
}
