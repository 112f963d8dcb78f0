package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// Publishers lose their connection before they can read the answer, and every tenth time the server is killed, too; they
// publish again with the same id. Each message is committed once, every try is answered alike, and the same id with
// another message is refused.
func TestPublishedAgain(t *testing.T) {
	const killEvery = 10
	rounds := testkit.Scale(40, 400)
	run := testkit.Begin("D7")
	server := startProgram(t, keeping(2*rounds))
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	reader := connect(t, server.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return follow(ctx, reader, l, origin, uint64(rounds)) })
	kills := 0
	for round := range rounds {
		number := l.Begin(messageBytes)
		frame := again(l.Channel(), number, line)
		lost := testkit.Connect(t, server.url())
		lost.Send(frame)
		if round%2 == 0 { // it was committed for certain; otherwise perhaps not even read
			lost.Want("published", `{"id":1}`)
		}
		lost.Close()
		if round%killEvery == killEvery-1 {
			server.kill()
			server.start()
			kills++
		}
		retry := testkit.Connect(t, server.url())
		var answers []wire.Published
		for range 2 {
			retry.Send(frame)
			answers = append(answers, published(t, retry))
		}
		if answers[0].Position != answers[1].Position || !answers[1].Duplicate || round%2 == 0 && !answers[0].Duplicate {
			t.Fatalf("round %d: the tries were answered %+v", round, answers)
		}
		if err := l.Answer(number, answers[0]); err != nil {
			t.Fatal(err)
		}
		retry.Send(again(l.Channel(), number, "something else"))
		retry.Want("error", fmt.Sprintf(`{"id":1,"code":%d}`, wire.CodeIdemReused))
		retry.Close()
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d answers lost, %d kills", rounds, kills)
	wantAll(t, run.Totals, rounds, rounds)
	run.End(t)
}

// again is a publish that names its idempotency id.
func again(channel string, number int, text string) string {
	return fmt.Sprintf(`{"id":1,"pub":{"ch":%q,"idem":"k-%d","data":{"n":%d,"text":%q}}}`, channel, number, number, text)
}

// published reads the answer to a publish.
func published(t *testing.T, c *testkit.Client) wire.Published {
	t.Helper()
	_, text := c.Next()
	frame, err := wire.JSON.DecodeServerFrame([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p, ok := frame.Body.(wire.Published)
	if !ok {
		t.Fatalf("a publish was answered %s", text)
	}
	return p
}
