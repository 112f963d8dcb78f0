package enginetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
)

var feedTests = map[string]func(*testing.T, Suite){
	"starts after the position":     feedStarts,
	"ends":                          feedEnds,
	"subscribing twice":             subscribeTwice,
	"subscribing while publishing":  subscribeWhilePublishing,
	"is visible and answered first": visibleFirst,
	"nothing before it is visible":  neverAhead,
}

func feedStarts(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 3)
	if p := n.subscribe("log:a"); p != at[3] {
		t.Fatalf("subscribed at %+v, want %+v", p, at[3])
	}
	p := n.publish(engine.Proposal{Channel: "log:a", User: "ann", Sender: "phone", Message: message("4")}).receipt.Position
	n.say("log:b", "not subscribed")
	fed := n.waitFed("log:a", 1)
	if f := fed[0]; len(fed) != 1 || f.Position != p || f.PrevTag != at[3].Tag || text(f) != "4" || f.User != "ann" || f.Sender != "phone" {
		t.Fatalf("fed %+v", fed[0])
	}
	if fed, _ := n.feed.channel("log:b"); len(fed) > 0 {
		t.Fatal("fed a channel that the node did not subscribe to")
	}
}

func feedEnds(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	n.subscribe("log:a")
	n.say("log:a", "1")
	n.waitFed("log:a", 1)
	n.Unsubscribe("log:a")
	n.Unsubscribe("log:never")
	p := n.say("log:a", "2")
	if again := n.subscribe("log:a"); again != p {
		t.Fatalf("subscribed at %+v, want %+v", again, p)
	}
	n.say("log:a", "3")
	if fed := n.waitFed("log:a", 2); text(fed[1]) != "3" {
		t.Fatalf("fed %v", texts(fed))
	}
}

func subscribeTwice(t *testing.T, s Suite) {
	both(t, s, func(t *testing.T, n *node) {
		p := n.say("a:a", "1")
		if again := n.subscribe("a:a"); again != p {
			t.Fatalf("subscribed at %+v, want %+v", again, p)
		}
		n.say("a:a", "2")
		if fed := n.waitFed("a:a", 2); len(fed) != 2 {
			t.Fatalf("fed %v", texts(fed))
		}
	})
}

// subscribeWhilePublishing subscribes to many channels in the midst of publishing: what is fed must follow the position
// that Subscribe returned, without a gap and without a repeat.
func subscribeWhilePublishing(t *testing.T, s Suite) {
	for name, kind := range map[string]engine.Kind{"log": engine.KindLog, "live": engine.KindPub} {
		t.Run(name, func(t *testing.T) {
			n := start(t, s, always(engine.Rules{Kind: kind, MaxPublications: 1000}))
			const channels, each = 40, 200
			began := make([]engine.Position, channels)
			var wg sync.WaitGroup
			for i := range channels {
				channel := fmt.Sprintf("a:%d", i)
				middle := make(chan struct{})
				wg.Go(func() { publishEach(n, channel, each, middle) })
				wg.Go(func() {
					<-middle
					began[i] = n.subscribe(channel)
				})
			}
			wg.Wait()
			for i, p := range began {
				checkFed(t, n, fmt.Sprintf("a:%d", i), p)
			}
		})
	}
}

// publishEach publishes and closes middle when half of it was accepted; it returns when all is answered.
func publishEach(n *node, channel string, count int, middle chan struct{}) {
	var answers sync.WaitGroup
	answers.Add(count)
	for i := range count {
		if i == count/2 {
			close(middle)
		}
		p := engine.Proposal{Channel: channel, Message: message(fmt.Sprint(i))}
		n.Publish(context.Background(), p, func(_ engine.Receipt, err error) {
			defer answers.Done()
			if err != nil {
				n.t.Errorf("publish: %v", err)
			}
		})
	}
	answers.Wait()
}

// checkFed publishes once more and checks that the channel was fed everything from p to that.
func checkFed(t *testing.T, n *node, channel string, p engine.Position) {
	t.Helper()
	last := n.say(channel, "last")
	fed := n.waitFed(channel, int(last.Offset-p.Offset))
	if fed[0].Offset != p.Offset+1 || fed[0].PrevTag != p.Tag || fed[0].Epoch != p.Epoch {
		t.Fatalf("subscribed at %+v, but fed from %+v", p, fed[0])
	}
	checkChain(t, fed)
	if fed[len(fed)-1].Position != last {
		t.Fatalf("fed up to %+v, want %+v", fed[len(fed)-1].Position, last)
	}
}

// visibleFirst checks that at the time of an answer history holds the publication.
func visibleFirst(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	const count = 100
	var wg sync.WaitGroup
	wg.Add(count)
	for range count {
		n.Publish(context.Background(), engine.Proposal{Channel: "log:a", Message: message("x")}, func(r engine.Receipt, _ error) {
			defer wg.Done()
			page, err := n.History(context.Background(), "log:a", engine.Query{Limit: 1})
			if err != nil || page.Top.Offset < r.Position.Offset {
				t.Errorf("answered %+v while the top was %+v, %v", r.Position, page.Top, err)
			}
		})
	}
	wg.Wait()
}

// neverAhead reads while publishing: what is read must follow what was read before, up to the top that was named.
func neverAhead(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.top("log:a")
	var wg sync.WaitGroup
	middle := make(chan struct{})
	wg.Go(func() { publishEach(n, "log:a", 2000, middle) })
	for at.Offset < 2000 {
		page := n.page("log:a", engine.Query{Since: &at, Limit: 100})
		if !page.Complete {
			t.Fatalf("page since %+v is %+v", at, page)
		}
		for _, p := range page.Publications {
			if p.Offset != at.Offset+1 || p.PrevTag != at.Tag || p.Offset > page.Top.Offset {
				t.Fatalf("read %+v after %+v", p.Position, at)
			}
			at = p.Position
		}
	}
	wg.Wait()
}
