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
)

// fallBehind returns a subscription whose queue of four filled up and that has left the live stream. The server sent
// ten publications.
func fallBehind(ctx context.Context, t *testing.T, s *server, opts client.SubscribeOptions) (*client.Subscription, *peer) {
	t.Helper()
	c := s.connect(client.Options{QueueEvents: 4})
	p := s.welcome("s1")
	sub := subscribe(ctx, t, c, p, opts)
	for i := range 10 {
		p.pub("log:a", i+1)
	}
	p.want("unsub", `{"ch":"log:a"}`)
	p.quiet(time.Second)
	return sub, p
}

// page is a page of publications from one offset to another.
func page(from, to int, rest string) string {
	var pubs []string
	for i := from; i <= to; i++ {
		pubs = append(pubs, fmt.Sprintf(`{"off":%d,"pos":"p%d","data":%d}`, i, i, i))
	}
	return fmt.Sprintf(`"page":{"ch":"log:a","pubs":[%s],"pos":"p99"%s}`, strings.Join(pubs, ","), rest)
}

// answer answers the reads of a consumer in the background of a test.
func answer(t *testing.T, run func()) {
	var answering sync.WaitGroup
	t.Cleanup(answering.Wait)
	answering.Go(run)
}

func TestSlowConsumerReadsOnFromTheLog(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		sub, p := fallBehind(ctx, t, s, client.SubscribeOptions{})
		answer(t, func() {
			id := p.want("history", `{"ch":"log:a","since":"p4","limit":4}`)
			p.send(`{"id":%d,%s}`, id, page(5, 8, `,"complete":true,"more":true`))
			id = p.want("history", `{"ch":"log:a","since":"p8","limit":4}`)
			p.send(`{"id":%d,%s}`, id, page(9, 10, `,"complete":true`))
			id = p.want("sub", `{"ch":"log:a","since":"p10"}`)
			p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p10"}}`, id)
			p.pub("log:a", 11)
		})
		wantEvents(ctx, t, sub, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
	})
}

func TestSlowConsumerAcrossReconnects(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		sub, p := fallBehind(ctx, t, s, client.SubscribeOptions{})
		p.drop()
		p = s.welcome("s1")
		p.quiet(time.Second) // it does not ask for what it has no room for
		wantEvents(ctx, t, sub, "1", "2", "3", "4")
		answer(t, func() {
			p.next("history")
			p.drop()
			p = s.welcome("s1")
			id := p.want("history", `{"ch":"log:a","since":"p4","limit":4}`)
			p.send(`{"id":%d,%s}`, id, page(5, 6, `,"complete":true`))
			p.want("sub", `{"ch":"log:a","since":"p6"}`)
			p.drop()
			p = s.welcome("s1")
			id = p.want("sub", `{"ch":"log:a","since":"p6"}`)
			p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p6"}}`, id)
			p.pub("log:a", 7)
		})
		wantEvents(ctx, t, sub, "5", "6", "7")
	})
}

// Where a page can't be joined to what was seen, the server says why: in a channel that keeps nothing "missed", of a
// log that has moved on "reset". A subscription without echoes can't use history, which has them.
func TestSlowConsumerJoinsWhereItLeft(t *testing.T) {
	tests := []struct {
		name   string
		opts   client.SubscribeOptions
		answer string // to history; none is asked for if empty
		sub    string
		event  string
		want   string
	}{
		{"keeps nothing", client.SubscribeOptions{}, `"error":{"code":109,"name":"no_history"}`, `{"ch":"log:a","since":"p4"}`,
			`"missed":{"ch":"log:a","count":6,"pos":"p10"}`, "missed 6"},
		{"may not read", client.SubscribeOptions{}, `"error":{"code":103,"name":"forbidden"}`, `{"ch":"log:a","since":"p4"}`,
			`"pub":{"ch":"log:a","off":5,"pos":"p5","data":5}`, "5"},
		{"evicted", client.SubscribeOptions{Last: 2}, page(8, 10, ""), `{"ch":"log:a","since":"p4","last":2}`,
			`"reset":{"ch":"log:a","pos":"p8","why":"evicted"}`, "reset p8"},
		{"without echoes", client.SubscribeOptions{NoEcho: true}, "", `{"ch":"log:a","since":"p4","echo":false}`,
			`"pub":{"ch":"log:a","off":5,"pos":"p5","data":5}`, "5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script(t, func(t *testing.T, ctx context.Context, s *server) {
				sub, p := fallBehind(ctx, t, s, tt.opts)
				wantEvents(ctx, t, sub, "1", "2", "3", "4")
				answer(t, func() {
					if tt.answer != "" {
						id, _ := p.next("history")
						p.send(`{"id":%d,%s}`, id, tt.answer)
					}
					id := p.want("sub", tt.sub)
					p.pub("log:a", 10) // of the old subscription, still on its way
					p.send(`{"id":%d,"subscribed":{"ch":"log:a","pos":"p4"}}`, id)
					p.send(`{%s}`, tt.event)
				})
				wantEvents(ctx, t, sub, tt.want)
			})
		})
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		c := s.connect(client.Options{QueueBytes: 10_000})
		p := s.welcome("s1")
		sub := subscribe(ctx, t, c, p, client.SubscribeOptions{})
		// A single event of any size is taken, or it could never be read.
		big := strings.Repeat("x", 20_000)
		p.send(`{"pub":{"ch":"log:a","off":1,"pos":"p1","data":%q}}`, big)
		synctest.Wait()
		p.quiet(time.Second)
		p.pub("log:a", 2)
		p.want("unsub", `{"ch":"log:a"}`)
		wantEvents(ctx, t, sub, "1")
	})
}

func TestCatchingUpObeysContextAndClose(t *testing.T) {
	script(t, func(t *testing.T, ctx context.Context, s *server) {
		sub, p := fallBehind(ctx, t, s, client.SubscribeOptions{})
		wantEvents(ctx, t, sub, "1", "2", "3", "4")
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := sub.Next(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("next: %v, want the deadline", err)
		}
		p.next("history")
		answer(t, func() {
			p.next("history")
			sub.Close()
		})
		if _, err := sub.Next(ctx); !errors.Is(err, client.ErrClosed) {
			t.Errorf("next: %v, want ErrClosed", err)
		}
	})
}
