package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// visitor is the user of clients that come and go; the others are there to see what happens.
const visitor = "visitor"

// Clients connect, subscribe, publish, set keys, join, call and disconnect, all at once, while the application ends
// subscriptions and sessions; and then the server is closed in the middle of it. Nothing hangs, nothing of the clients is
// left, and the readers of the logs have seen everything once. Under the race detector, this is the test for it.
func TestAllAtOnce(t *testing.T) {
	const channels = 4
	workers, lasts := testkit.Scale(12, 24), testkit.Scale(3*time.Second, time.Minute)
	run := testkit.Begin("L7")
	srv := testkit.Start(t, hurried())
	ledgers, origins := makeLedgers(t, srv.URL, "log", channels, checker.Retention{})
	crew := newCrew(t)
	for i, l := range ledgers {
		c := connect(t, srv.URL, client.Options{})
		crew.do(func(ctx context.Context) error { return followToEnd(ctx, c, l, origins[i]) })
	}
	var visits, orders atomic.Int64
	hurry := func(ctx context.Context, all *sync.WaitGroup) {
		for i := range workers {
			all.Go(func() {
				for n := i; ctx.Err() == nil; n++ {
					visit(ctx, srv.URL, ledgers[n%channels])
					visits.Add(1)
				}
			})
		}
	}
	ctx, enough := context.WithTimeout(crew.ctx, lasts)
	defer enough()
	var hurrying sync.WaitGroup
	hurry(ctx, &hurrying)
	hurrying.Go(func() { harass(ctx, srv.Server, &orders) })
	hurrying.Wait()
	publisher := connect(t, srv.URL, client.Options{})
	for _, l := range ledgers {
		if err := publishText(crew.ctx, publisher, l, endText); err != nil {
			t.Fatal(err)
		}
	}
	crew.wait()
	run.Totals = verdict(t, ledgers...)

	ctx, enough = context.WithCancel(context.Background())
	defer enough()
	hurry(ctx, &hurrying)
	began := visits.Load()
	testkit.Eventually(t, "clients are there again", func() bool { return visits.Load() > began+int64(workers) })
	closing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := srv.Close(closing); err != nil {
		t.Error(err)
	}
	enough()
	hurrying.Wait()
	run.Counted = fmt.Sprintf("%d visits of clients, %d orders of the application, closed once in the middle", visits.Load(), orders.Load())
	if visits.Load() < 50 || orders.Load() < 10 {
		t.Error("too little happened for this test to mean much")
	}
	run.End(t)
}

// hurried are the options of a server with channels of all kinds for everyone.
func hurried() earshot.Options {
	open := earshot.Namespace{
		Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone, Presence: earshot.Anyone,
	}
	kept, keyed := open, open
	kept.Kind, kept.History, keyed.Kind = earshot.Log, earshot.History{Size: 10_000_000}, earshot.Map
	return earshot.Options{
		Namespaces: map[string]earshot.Namespace{"live": open, "log": kept, "map": keyed},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token}, nil
		},
		OnCall: func(_ context.Context, _ earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			return c.Data, nil
		},
	}
}

// visit is one short life of a client, which does everything at once and leaves in the middle of it. What fails, fails
// because of that.
func visit(ctx context.Context, url string, l *checker.Ledger) {
	c, err := client.Connect(ctx, url, client.Options{
		Token: func(context.Context) (string, error) { return visitor, nil },
	})
	if err != nil {
		return
	}
	var doing sync.WaitGroup
	for _, do := range []func(){
		func() { _, _ = c.Subscribe(ctx, l.Channel(), client.SubscribeOptions{Last: 5}) },
		func() {
			if sub, err := c.Subscribe(ctx, "live:a", client.SubscribeOptions{}); err == nil {
				sub.Close()
			}
		},
		func() { _, _ = c.Map("map:a").Watch(ctx, client.WatchOptions{}) },
		func() { _, _ = c.Map("map:a").SetJSON(ctx, c.Session(), 1, client.SetOptions{Own: true}) },
		func() { _ = c.Presence("live:a").Join(ctx, client.Data{}) },
		func() { _, _ = c.PublishJSON(ctx, "live:a", 1) },
		func() { _, _ = c.Call(ctx, "echo", client.Data{}, client.CallOptions{}) },
	} {
		doing.Go(do)
	}
	_ = publishOne(ctx, c, l) // it is known then that the client was there; without an answer nothing is known of it
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = c.Close(closing)
	doing.Wait()
}

// harass gives orders about the visitors until ctx ends.
func harass(ctx context.Context, srv *earshot.Server, orders *atomic.Int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for i, s := range srv.Sessions(visitor) {
			who := earshot.Whom{Session: s.ID()}
			// Their errors are those of other nodes, of which there are none.
			switch i % 4 {
			case 0:
				_ = srv.Recheck(ctx, who)
			case 1:
				_ = srv.Unsubscribe(ctx, who, "live:a", "test")
			case 2:
				_ = srv.Disconnect(ctx, who, "test")
			default:
				continue
			}
			orders.Add(1)
		}
	}
}
