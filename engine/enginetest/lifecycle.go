package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

var lifecycleTests = map[string]func(*testing.T, Suite){
	"before run":                beforeRun,
	"close without run":         closeWithoutRun,
	"close drains":              closeDrains,
	"closed":                    closed,
	"run ends with its context": runEnds,
	"run twice":                 runTwice,
	"a full queue":              fullQueue,
	"everything at once":        everythingAtOnce,
	"the clock is moved":        clockMoved,
}

func beforeRun(t *testing.T, s Suite) {
	n := open(t, s, always(log(0)))
	answer := make(chan result, 1)
	n.Publish(context.Background(), engine.Proposal{Channel: "log:a", Message: message("1")}, func(r engine.Receipt, err error) {
		answer <- result{r, err}
	})
	if p := n.subscribe("log:a"); p.Offset != 0 {
		t.Fatalf("subscribed at %+v", p)
	}
	if page := n.page("log:a", engine.Query{Limit: 1}); len(page.Publications) > 0 {
		t.Fatal("a publication is visible before it is committed")
	}
	if len(answer) > 0 {
		t.Fatal("a publish was answered before it was committed")
	}
	n.run()
	wantFirst(t, <-answer)
	n.waitFed("log:a", 1)
	n.waitSound()
}

func closeWithoutRun(t *testing.T, s Suite) {
	n := open(t, s, always(log(0)))
	answer := make(chan error, 1)
	n.Publish(context.Background(), engine.Proposal{Channel: "log:a"}, func(_ engine.Receipt, err error) { answer <- err })
	n.stop()
	n.want(<-answer, engine.ErrClosed)
	if err := n.Run(context.Background(), nil); err == nil {
		t.Fatal("a closed engine ran")
	}
}

func closeDrains(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	const count = 3000
	answers := make(chan error, count)
	for i := range count {
		p := keyed("log:a", "ann", fmt.Sprint(i), fmt.Sprint(i))
		n.Publish(context.Background(), p, func(_ engine.Receipt, err error) { answers <- err })
	}
	n.stop()
	if len(answers) != count {
		t.Fatalf("%d answers, want %d", len(answers), count)
	}
	for range count {
		if err := <-answers; err != nil {
			t.Fatalf("an accepted publish failed: %v", err)
		}
	}
	if s.Restarts {
		n.restart()
		if top := n.top("log:a"); top.Offset != count {
			t.Fatalf("top is %d, want %d", top.Offset, count)
		}
	}
}

func closed(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	n.say("log:a", "1")
	n.stop()
	n.want(n.publish(engine.Proposal{Channel: "log:a"}).err, engine.ErrClosed)
	_, err := n.History(context.Background(), "log:a", engine.Query{Limit: 1})
	n.want(err, engine.ErrClosed)
	_, err = n.Subscribe(context.Background(), "log:a")
	n.want(err, engine.ErrClosed)
	n.want(n.Trim(context.Background(), "log:a", engine.Position{}), engine.ErrClosed)
	n.Unsubscribe("log:a")
	if err := n.Close(context.Background()); err != nil {
		t.Fatalf("second close: %v", err)
	}
}

func runEnds(t *testing.T, s Suite) {
	n := open(t, s, always(log(0)))
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	n.tasks.Go(func() { ran <- n.Run(ctx, n.feed) })
	n.say("log:a", "1")
	cancel()
	n.want(<-ran, context.Canceled)
	n.want(n.publish(engine.Proposal{Channel: "log:a"}).err, engine.ErrClosed)
	if top := n.top("log:a"); top.Offset != 1 {
		t.Fatalf("top is %+v", top)
	}
}

func runTwice(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	n.say("log:a", "1") // it runs by now
	if err := n.Run(context.Background(), nil); err == nil {
		t.Fatal("the engine ran twice")
	}
}

// fullQueue publishes to an engine that does not run until publishing blocks, which the context must end.
func fullQueue(t *testing.T, s Suite) {
	n := open(t, s, always(log(0)))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	const most = 1000
	large := engine.Proposal{Channel: "log:a", Message: message(string(make([]byte, 64<<10)))}
	answers := make(chan error, most)
	accepted := 0
	for ; accepted < most && ctx.Err() == nil; accepted++ {
		n.Publish(ctx, large, func(_ engine.Receipt, err error) { answers <- err })
	}
	n.want(<-answers, context.DeadlineExceeded) // all others wait
	n.run()
	n.stop()
	if len(answers) != accepted-1 {
		t.Fatalf("%d answers, want %d", len(answers), accepted-1)
	}
	for range accepted - 1 {
		if err := <-answers; err != nil {
			t.Fatalf("an accepted publish failed: %v", err)
		}
	}
}

// everythingAtOnce does all that can be done with a few channels from many goroutines, and closes the engine in the midst of it.
// What is answered must be a success or say that the engine is closed, and all must come to an end.
func everythingAtOnce(t *testing.T, s Suite) {
	n := start(t, s, func(channel string) engine.Rules {
		if channel == "a:0" {
			return engine.Rules{}
		}
		return engine.Rules{Kind: engine.KindLog, MaxPublications: 20, MaxBytes: 300, MaxAge: time.Minute}
	})
	var busy sync.WaitGroup
	middle := make(chan struct{}, 8)
	for i := range 8 {
		busy.Go(func() {
			for j := 0; churn(n, fmt.Sprintf("a:%d", (i+j)%3), i*1000+j); j++ {
				if j == 100 {
					middle <- struct{}{}
				}
			}
		})
	}
	for range cap(middle) {
		<-middle
	}
	n.stop()
	busy.Wait()
}

// churn does one thing with the channel, as number says, until the engine is closed.
func churn(n *node, channel string, number int) (more bool) {
	var err error
	switch ctx := context.Background(); number % 6 {
	case 0, 1:
		err = n.publish(keyed(channel, "ann", fmt.Sprint(number/12), "text")).err
	case 2:
		_, err = n.Subscribe(ctx, channel)
	case 3:
		n.Unsubscribe(channel)
	case 4:
		var page engine.Page
		if page, err = n.History(ctx, channel, engine.Query{Limit: 10}); err == nil && page.Top.Offset > 5 {
			err = n.Trim(ctx, channel, page.Start)
		}
	case 5:
		_, err = n.History(ctx, channel, engine.Query{Last: 5, Limit: 5})
	}
	if errors.Is(err, engine.ErrNoHistory) {
		err = nil
	}
	if err != nil && !errors.Is(err, engine.ErrClosed) {
		n.t.Errorf("%d on %q: %v", number%6, channel, err)
	}
	return err == nil
}

// clockMoved sets the clock back and forward by an hour: times of a log never go back, and publishing goes on.
func clockMoved(t *testing.T, s Suite) {
	if !s.FollowsClock {
		t.Skip("the engine has its own clock")
	}
	n := start(t, s, always(engine.Rules{Kind: engine.KindLog, MaxAge: 2 * time.Hour}))
	at := []engine.Position{n.top("log:a")}
	for i, moved := range []time.Duration{0, -time.Hour, 0, 2 * time.Hour, -time.Hour, 0} {
		n.clock.pass(moved)
		at = append(at, n.say("log:a", fmt.Sprint(i+1)))
	}
	page := n.page("log:a", engine.Query{Limit: 10})
	checkPage(t, page, at, 1, 6, false)
	checkChain(t, page.Publications)
}
