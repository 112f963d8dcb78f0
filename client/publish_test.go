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

// publish starts a publish of n and returns where its outcome will be.
func publish(ctx context.Context, t *testing.T, c *client.Client, n int) <-chan outcome {
	done := make(chan outcome, 1)
	var publishing sync.WaitGroup
	t.Cleanup(publishing.Wait)
	publishing.Go(func() {
		r, err := c.PublishJSON(ctx, "log:a", n)
		done <- outcome{r, err}
	})
	return done
}

type outcome struct {
	client.Published
	err error
}

func TestPublish(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		done := publish(ctx, t, c, 7) // before the connection is open
		p := s.welcome("s1")
		id, _ := p.wantPublish("log:a", 7.0)
		p.send(`{"id":%d,"published":{"ch":"log:a","pos":"p1","off":1,"durability":"fsync"}}`, id)
		want := client.Published{Channel: "log:a", Position: "p1", Offset: 1, Durability: "fsync"}
		if got := <-done; got.err != nil || got.Published != want {
			t.Errorf("published %+v, want %+v", got, want)
		}
	})
}

func TestPublishInFlightIsRepeatedInOrder(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		const n = 20
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		var waiting []<-chan outcome
		start := func(i int) {
			waiting = append(waiting, publish(ctx, t, c, i))
			synctest.Wait()
		}
		for i := range n / 2 {
			start(i)
		}
		ids := make([]string, n)
		for i := range n / 2 {
			_, ids[i] = p.wantPublish("log:a", float64(i))
		}
		p.drop()
		synctest.Wait()
		for i := n / 2; i < n; i++ { // while there is no connection
			start(i)
		}
		p = s.welcome("s1")
		for i := range n {
			id, idem := p.wantPublish("log:a", float64(i))
			if i < n/2 && idem != ids[i] {
				t.Errorf("publish %d repeated with id %q, first %q", i, idem, ids[i])
			}
			p.send(`{"id":%d,"published":{"ch":"log:a","off":%d,"dup":%v}}`, id, i+1, i < n/2)
		}
		for i, done := range waiting {
			if got := <-done; got.err != nil || got.Offset != uint64(i+1) || got.Duplicate != (i < n/2) {
				t.Errorf("publish %d: %+v", i, got)
			}
		}
	})
}

func TestPublishRefused(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		done := publish(ctx, t, c, 1)
		id, idem := p.wantPublish("log:a", 1.0)
		p.send(`{"id":%d,"error":{"code":302,"name":"disk_full","retry_ms":3000}}`, id)
		at := time.Now()
		id, again := p.wantPublish("log:a", 1.0)
		if wait := time.Since(at); wait < 3*time.Second || idem != again {
			t.Errorf("repeated after %v with id %q, want 3 s and %q", wait, again, idem)
		}
		p.send(`{"id":%d,"error":{"code":103,"name":"forbidden","reason":"no"}}`, id)
		var e *client.Error
		if got := <-done; !errors.As(got.err, &e) || e.Code != wire.CodeForbidden || e.Reason != "no" {
			t.Errorf("refused with %v", got.err)
		}
	})
}

func TestPublishIsCheckedBeforeItIsSent(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		tests := []struct {
			name, channel, idem string
			m                   client.Message
			code                wire.Code
		}{
			{"no namespace", "news", "", client.Message{}, wire.CodeBadChannel},
			{"channel not UTF-8", "log:\xff", "", client.Message{}, wire.CodeBadChannel},
			{"data not JSON", "log:a", "", client.Message{Data: wire.JSONData([]byte(`{"a":`))}, wire.CodeBadFrame},
			{"data with more fields", "log:a", "", client.Message{Data: wire.JSONData([]byte(`1,"idem":"x"`))}, wire.CodeBadFrame},
			{"data not UTF-8", "log:a", "", client.Message{Data: wire.JSONData([]byte("\"\xff\""))}, wire.CodeBadFrame},
			{"id not UTF-8", "log:a", "\xff", client.Message{}, wire.CodeBadFrame},
			{"id too long", "log:a", strings.Repeat("k", wire.MaxIdemBytes+1), client.Message{}, wire.CodeTooLarge},
			{"event too long", "log:a", "", client.Message{Event: strings.Repeat("e", wire.MaxEventBytes+1)}, wire.CodeTooLarge},
			{"frame too large", "log:a", "", client.Message{Data: wire.BinaryData(make([]byte, wire.MaxFrameBytes))}, wire.CodeTooLarge},
		}
		for _, tt := range tests {
			_, err := c.Publish(ctx, tt.channel, tt.m, client.PublishOptions{Idem: tt.idem})
			var e *client.Error
			if !errors.As(err, &e) || e.Code != tt.code {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.code)
			}
		}
		p.quiet(time.Second)
	})
}

func TestPublishGivesUpWithItsContext(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		got := <-publish(short, t, c, 1)
		if !errors.Is(got.err, context.DeadlineExceeded) || !strings.Contains(got.err.Error(), "not connected") {
			t.Errorf("err %v, want the deadline and that there is no connection", got.err)
		}
		// What was given up before it was sent is not sent.
		done := publish(ctx, t, c, 2)
		p := s.welcome("s1")
		id, _ := p.wantPublish("log:a", 2.0)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, id)
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
	})
}

func TestPublishIsNotRepeatedWhenItsIdIsForgotten(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		p := s.welcome("s1")
		done := publish(ctx, t, c, 1)
		p.wantPublish("log:a", 1.0)
		p.send(`{"bye":{"code":4100,"delay_ms":300000}}`)
		p = s.welcome("s1")
		if got := <-done; !errors.Is(got.err, client.ErrOutcomeUnknown) {
			t.Errorf("err %v, want ErrOutcomeUnknown", got.err)
		}
		p.quiet(time.Second)
	})
}

func TestPendingIsBounded(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{MaxPending: 2})
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		var waiting []<-chan outcome
		for i := range 6 {
			if i == 4 {
				ctx = short // the last two give up while they wait for room
			}
			waiting = append(waiting, publish(ctx, t, c, i))
			synctest.Wait()
		}
		time.Sleep(6 * time.Second)
		for _, done := range waiting[4:] {
			if got := <-done; !errors.Is(got.err, context.DeadlineExceeded) {
				t.Errorf("err %v, want the deadline", got.err)
			}
		}
		p := s.welcome("s1")
		first, _ := p.wantPublish("log:a", 0.0)
		second, _ := p.wantPublish("log:a", 1.0)
		p.quiet(time.Second)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, second)
		third, _ := p.wantPublish("log:a", 2.0)
		p.quiet(time.Second)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, first)
		fourth, _ := p.wantPublish("log:a", 3.0)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, third)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, fourth)
		for i, done := range waiting[:4] {
			if got := <-done; got.err != nil {
				t.Errorf("publish %d: %v", i, got.err)
			}
		}
	})
}

func TestPendingBytesAreBounded(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{MaxPendingBytes: wire.MaxFrameBytes})
		p := s.welcome("s1")
		big := fmt.Sprintf("%q", strings.Repeat("x", wire.MaxFrameBytes/2))
		var publishers sync.WaitGroup
		for range 2 {
			publishers.Go(func() {
				m := client.Message{Data: wire.JSONData([]byte(big))}
				if _, err := c.Publish(ctx, "log:a", m, client.PublishOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		id, _ := p.next("pub")
		p.quiet(time.Second)
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, id)
		id, _ = p.next("pub")
		p.send(`{"id":%d,"published":{"ch":"log:a"}}`, id)
		publishers.Wait()
	})
}

func TestHistory(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{})
		var reading sync.WaitGroup
		reading.Go(func() {
			page, err := c.History(ctx, "log:a", client.HistoryOptions{Before: "p3", Limit: 2})
			if err != nil || len(page.Publications) != 2 || page.Position != "p9" || !page.Complete || page.More {
				t.Errorf("page %+v, %v", page, err)
				return
			}
			var n int
			if err := page.Publications[1].Decode(&n); err != nil || n != 2 || page.Publications[1].Channel != "log:a" {
				t.Errorf("publication %+v, %v", page.Publications[1], err)
			}
		})
		p := s.welcome("s1")
		p.want("history", `{"ch":"log:a","before":"p3","limit":2}`)
		p.drop() // a read is repeated too
		p = s.welcome("s1")
		id := p.want("history", `{"ch":"log:a","before":"p3","limit":2}`)
		p.send(`{"id":%d,"page":{"ch":"log:a","pubs":[{"off":1,"pos":"p1","data":1},{"off":2,"pos":"p2","data":2}],"pos":"p9","complete":true}}`, id)
		reading.Wait()
	})
}
