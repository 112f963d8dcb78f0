package enginetest

import (
	"context"
	"fmt"
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
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
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
