package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// subscribe subscribes to log:a while p answers, and returns the subscription and the body of the frame.
func subscribe(ctx context.Context, t *testing.T, c *client.Client, p *peer, opts client.SubscribeOptions) (sub *client.Subscription) {
	t.Helper()
	var subscribing sync.WaitGroup
	subscribing.Go(func() {
		var err error
		if sub, err = c.Subscribe(ctx, "log:a", opts); err != nil {
			t.Errorf("subscribe: %v", err)
		}
	})
	id, _ := p.next("sub")
	p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p0"}}`, id)
	subscribing.Wait()
	if sub == nil {
		t.FailNow()
	}
	return sub
}

// wantEvents reads events and compares each with its short form: an offset, "reset p5" or "missed 3".
func wantEvents(ctx context.Context, t *testing.T, sub *client.Subscription, want ...string) {
	t.Helper()
	for _, w := range want {
		ev, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("%v, want %s", err, w)
		}
		if got := short(ev); got != w {
			t.Fatalf("event %s, want %s", got, w)
		}
	}
}

func short(ev client.Event) string {
	switch ev := ev.(type) {
	case client.Publication:
		return fmt.Sprint(ev.Offset)
	case client.Reset:
		return "reset " + ev.Position
	case client.Missed:
		return fmt.Sprint("missed ", ev.Count)
	}
	return "unknown"
}

func TestSubscribe(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{Last: 10})
		if sub.Position() != "p0" || sub.Channel() != "log:a" {
			t.Errorf("at %q of %q", sub.Position(), sub.Channel())
		}
		p.send(`{"pub":{"ch":"log:a","off":1,"pos":"p1","time":1700000000000,"user":"ann","event":"said","data":{"a":1},"tags":{"k":"v"}}}`)
		ev, err := sub.Next(ctx)
		got, ok := ev.(client.Publication)
		if err != nil || !ok {
			t.Fatalf("%v, %v", ev, err)
		}
		if got.Channel != "log:a" || got.Offset != 1 || got.Position != "p1" || got.Time.UnixMilli() != 1700000000000 ||
			got.User != "ann" || got.Event != "said" || string(got.Data.Body) != `{"a":1}` || got.Tags["k"] != "v" {
			t.Errorf("publication %+v", got)
		}
		p.send(`{"reset":{"ch":"log:a","pos":"p5","why":"evicted"}}`)
		p.send(`{"missed":{"ch":"log:a","pos":"p8","count":3}}`)
		wantEvents(ctx, t, sub, "reset p5", "missed 3")
		if sub.Position() != "p8" {
			t.Errorf("at %q, want p8", sub.Position())
		}
	})
}

func TestSubscriptionResumes(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{Last: 10, NoEcho: true})

		// Ten reconnects without traffic name the same place.
		for range 10 {
			p.drop()
			p = s.welcome("s1")
			id := p.want("sub", `{"ch":"log:a","since":"p0","last":10,"echo":false}`)
			p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p0"}}`, id)
		}
		p.pub("log:a", 1)
		p.pub("log:a", 2)
		synctest.Wait()
		p.drop()
		p = s.welcome("s1")
		id := p.want("sub", `{"ch":"log:a","since":"p2","last":10,"echo":false}`)
		p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p2"}}`, id)
		p.pub("log:a", 3)
		wantEvents(ctx, t, sub, "1", "2", "3")

		p.send(`{"moved":{"ch":"log:a","pos":"p6"}}`)
		synctest.Wait()
		if sub.Position() != "p6" {
			t.Errorf("at %q after moved, want p6", sub.Position())
		}
		p.drop()
		p = s.welcome("s1")
		p.want("sub", `{"ch":"log:a","since":"p6","last":10,"echo":false}`)
	})
}

// A connection that breaks between "subscribed" and the reset that follows it must not swallow the reset.
func TestResetIsNotLostWithItsConnection(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{Since: "old"})
		p.drop()
		p = s.welcome("s1")
		id := p.want("sub", `{"ch":"log:a","since":"old"}`)
		p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p7"}}`, id)
		p.send(`{"reset":{"ch":"log:a","pos":"p7","why":"evicted"}}`)
		wantEvents(ctx, t, sub, "reset p7")
	})
}

func TestSubscribeRefused(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		var subscribing sync.WaitGroup
		subscribing.Go(func() {
			_, err := c.Subscribe(ctx, "log:a", client.SubscribeOptions{})
			var e *client.Error
			if !errors.As(err, &e) || e.Code != wire.CodeForbidden {
				t.Errorf("subscribe: %v, want forbidden", err)
			}
		})
		id, _ := p.next("sub")
		p.send(`{"id":%d,"error":{"code":301,"name":"unavailable","retry_ms":2000}}`, id)
		at := time.Now()
		id, _ = p.next("sub") // asked again on the same connection
		if wait := time.Since(at); wait < 2*time.Second {
			t.Errorf("asked again after %v, want 2 s", wait)
		}
		p.send(`{"id":%d,"error":{"code":103,"name":"forbidden"}}`, id)
		subscribing.Wait()
		p.drop()
		s.welcome("s1").quiet(time.Second) // nothing stays registered
	})
}

func TestSubscribeTwice(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		_, err := c.Subscribe(ctx, "log:a", client.SubscribeOptions{})
		var e *client.Error
		if !errors.As(err, &e) || e.Code != wire.CodeAlreadySubscribed {
			t.Errorf("second subscribe: %v", err)
		}
		sub.Close()
		sub.Close()
		p.want("unsub", `{"ch":"log:a"}`)
		p.pub("log:a", 1) // still on its way when the client left
		again := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		p.pub("log:a", 2)
		wantEvents(ctx, t, again, "2")
		if _, err := sub.Next(ctx); !errors.Is(err, client.ErrClosed) {
			t.Errorf("next after close: %v", err)
		}
	})
}

func TestSubscriptionsAreBounded(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		const most = 512
		c := s.connect(client.Options{})
		for i := range most {
			answer(t, func() { // none is answered: the test ends before
				if _, err := c.Subscribe(ctx, fmt.Sprint("log:", i), client.SubscribeOptions{}); !errors.Is(err, client.ErrClosed) {
					t.Errorf("subscribe %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		var e *client.Error
		if _, err := c.Subscribe(ctx, "log:more", client.SubscribeOptions{}); !errors.As(err, &e) || e.Code != wire.CodeTooManyChannels {
			t.Errorf("subscribe once more: %v", err)
		}
		p := s.welcome("s1")
		for range most {
			p.next("sub")
		}
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestSubscribeIsCheckedBeforeItIsSent(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		var e *client.Error
		if _, err := c.Subscribe(ctx, "news", client.SubscribeOptions{}); !errors.As(err, &e) || e.Code != wire.CodeBadChannel {
			t.Errorf("bad channel: %v", err)
		}
		if _, err := c.Subscribe(ctx, "log:a", client.SubscribeOptions{Last: wire.MaxLast + 1}); !errors.As(err, &e) {
			t.Errorf("bad last: %v", err)
		}
		if _, err := c.History(ctx, "news", client.HistoryOptions{}); !errors.As(err, &e) || e.Code != wire.CodeBadChannel {
			t.Errorf("history of a bad channel: %v", err)
		}
		if _, err := c.History(ctx, "log:a", client.HistoryOptions{Since: "x", Before: "y"}); !errors.As(err, &e) || e.Code != wire.CodeBadFrame {
			t.Errorf("history in both directions: %v", err)
		}
		s.welcome("s1").quiet(time.Second)
	})
}

func TestSubscribeGivesUpWithItsContext(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := c.Subscribe(short, "log:a", client.SubscribeOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("subscribe: %v", err)
		}
		s.welcome("s1").quiet(time.Second)
	})
}

func TestServerEndsSubscription(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		p.pub("log:a", 1)
		p.send(`{"unsubscribed":{"ch":"log:a","code":103,"name":"forbidden","reason":"banned"}}`)
		synctest.Wait()
		wantEvents(ctx, t, sub, "1") // what came before is read first
		var e *client.Error
		if _, err := sub.Next(ctx); !errors.As(err, &e) || e.Code != wire.CodeForbidden || e.Reason != "banned" {
			t.Errorf("next: %v", err)
		}
	})
}

func TestOddFramesAreIgnored(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		for _, odd := range []string{
			`{"pub":{"ch":"log:other","off":1,"pos":"p1","data":1}}`,
			`{"reset":{"ch":"log:other","pos":"p1","why":"epoch"}}`,
			`{"moved":{"ch":"log:other","pos":"p1"}}`,
			`{"unsubscribed":{"ch":"log:other","code":103}}`,
			`{"id":999,"published":{"ch":"log:a"}}`,
			`{"id":999,"error":{"code":103}}`,
			`{"id":999,"subscribed":{"ch":"log:a","pos":"p9"}}`,
			`{"error":{"code":104,"reason":"of no frame"}}`,
			`{"pong":{}}`,
			`{"a frame of tomorrow":{"ch":"log:a"}}`,
			`{"pub":{"ch":"log:a","off":1,"pos":"p1","data":1,"a field of tomorrow":1}}`,
		} {
			p.send("%s", odd)
		}
		p.send(`{"ping":{}}`)
		p.want("pong", `{}`)
		wantEvents(ctx, t, sub, "1")
	})
}

func TestEvents(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		p.pub("log:a", 1)
		p.pub("log:a", 2)
		var got []string
		for ev, err := range sub.Events(ctx) {
			if err != nil {
				got = append(got, err.Error())
				continue
			}
			if got = append(got, short(ev)); len(got) == 2 {
				sub.Close()
			}
		}
		if s := strings.Join(got, ","); s != "1,2,closed" {
			t.Errorf("events %s", s)
		}
	})
}
