package enginetest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

var publishTests = map[string]func(*testing.T, Suite){
	"what is published is read back": readBack,
	"offsets are consecutive":        consecutiveOffsets,
	"one order for all":              oneOrder,
	"order of one publisher":         publisherOrder,
	"answers come once":              answersOnce,
	"channels are apart":             channelsApart,
	"ended context":                  endedContext,
	"no history of what is not kept": noHistory,
}

func readBack(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	messages := []wire.Message{
		{},
		{Event: "said", Data: wire.JSONData([]byte(`{"a": 1, "a":2}`))},
		{Data: wire.BinaryData([]byte{0, 1, 255})},
		{Data: wire.BinaryData(nil)},
		{Event: "tagged", Tags: map[string]string{"b": "2", "a": "1", "": ""}},
	}
	for _, m := range messages {
		r := n.publish(engine.Proposal{Channel: "log:a", User: "ann", Sender: "phone", Message: m})
		if r.err != nil || r.receipt.Duplicate || r.receipt.Durability != s.Durability {
			t.Fatalf("answer is %+v, %v", r.receipt, r.err)
		}
	}
	if s.Restarts {
		n.restart()
	}
	page := n.page("log:a", engine.Query{Limit: 100})
	if len(page.Publications) != len(messages) {
		t.Fatalf("%d publications, want %d", len(page.Publications), len(messages))
	}
	for i, p := range page.Publications {
		if !sameMessage(p.Message, messages[i]) || p.User != "ann" || p.Sender != "phone" || p.UnixMS == 0 {
			t.Errorf("publication %d is %+v, want %+v", i, p, messages[i])
		}
	}
}

func sameMessage(a, b wire.Message) bool {
	return a.Event == b.Event && string(a.Data.Body) == string(b.Data.Body) && a.Data.Binary == b.Data.Binary &&
		maps.Equal(a.Tags, b.Tags)
}

func consecutiveOffsets(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	before := n.top("log:a")
	if before.Epoch == 0 || before.Offset != 0 || before.Tag != 0 {
		t.Fatalf("top of an empty log is %+v", before)
	}
	for i := range 5 {
		p := n.say("log:a", fmt.Sprint(i))
		if p.Epoch != before.Epoch || p.Offset != uint64(i+1) || p.Tag == 0 {
			t.Fatalf("position %d is %+v", i, p)
		}
		if top := n.top("log:a"); top != p {
			t.Fatalf("top is %+v, want %+v", top, p)
		}
	}
}

// publishAll has each of some publishers publish its own numbered messages to a channel, without waiting for answers.
func publishAll(n *node, channel string, publishers, each int) []engine.Receipt {
	n.t.Helper()
	receipts := make([]engine.Receipt, publishers*each)
	var publishing, answers sync.WaitGroup
	answers.Add(len(receipts))
	for i := range publishers {
		publishing.Go(func() {
			for j := range each {
				p := engine.Proposal{Channel: channel, User: fmt.Sprint(i), Message: message(fmt.Sprint(j))}
				n.Publish(context.Background(), p, func(r engine.Receipt, err error) {
					defer answers.Done()
					receipts[i*each+j] = r
					if err != nil {
						n.t.Errorf("publish: %v", err)
					}
				})
			}
		})
	}
	publishing.Wait()
	answers.Wait()
	return receipts
}

func oneOrder(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	n.subscribe("log:a")
	const publishers, each = 8, 50
	receipts := publishAll(n, "log:a", publishers, each)
	fed := n.waitFed("log:a", publishers*each)
	read := n.readAll("log:a")
	checkChain(t, read)
	if len(fed) != len(read) || len(read) != publishers*each {
		t.Fatalf("fed %d, read %d, want %d", len(fed), len(read), publishers*each)
	}
	for i, p := range read {
		if fed[i].Position != p.Position || fed[i].PrevTag != p.PrevTag || text(fed[i]) != text(p) || fed[i].User != p.User {
			t.Fatalf("publication %d was fed as %+v and read as %+v", i, fed[i], p)
		}
	}
	for _, r := range receipts {
		if got := read[r.Position.Offset-1].Position; got != r.Position {
			t.Fatalf("answered %+v, read %+v", r.Position, got)
		}
	}
}

// readAll reads a log from its oldest publication on, page by page.
func (n *node) readAll(channel string) (all []*engine.Publication) {
	n.t.Helper()
	top := n.top(channel)
	at := engine.Position{Epoch: top.Epoch}
	for {
		page := n.page(channel, engine.Query{Since: &at, Limit: 7})
		if !page.Complete {
			n.t.Fatalf("page since %+v is not complete", at)
		}
		all = append(all, page.Publications...)
		if !page.More {
			return all
		}
		at = all[len(all)-1].Position
	}
}

// checkChain checks that the publications follow each other in position, tag and time.
func checkChain(t *testing.T, pubs []*engine.Publication) {
	t.Helper()
	for i, p := range pubs[1:] {
		before := pubs[i]
		if p.Epoch != before.Epoch || p.Offset != before.Offset+1 || p.PrevTag != before.Tag || p.UnixMS < before.UnixMS {
			t.Fatalf("%+v does not follow %+v", p, before)
		}
	}
}

func publisherOrder(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	publishAll(n, "log:a", 4, 100)
	next := map[string]int{}
	for _, p := range n.readAll("log:a") {
		if want := fmt.Sprint(next[p.User]); text(p) != want {
			t.Fatalf("publisher %s: %s, want %s", p.User, text(p), want)
		}
		next[p.User]++
	}
}

func answersOnce(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	const count = 200
	answers := make(chan int, 2*count)
	for i := range count {
		n.Publish(context.Background(), engine.Proposal{Channel: "log:a"}, func(engine.Receipt, error) { answers <- i })
	}
	n.stop()
	if len(answers) != count {
		t.Fatalf("%d answers, want %d", len(answers), count)
	}
	seen := map[int]bool{}
	for range count {
		seen[<-answers] = true
	}
	if len(seen) != count {
		t.Fatalf("%d proposals were answered, want %d", len(seen), count)
	}
}

func channelsApart(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	names := []string{"log:a", "log:b", "log:a\x00", "log:", "log:\xc3\xa4"}
	for i, name := range names {
		for range i + 1 {
			n.say(name, name)
		}
	}
	epochs := map[uint64]bool{}
	for i, name := range names {
		page := n.page(name, engine.Query{Limit: 100})
		if len(page.Publications) != i+1 || text(page.Publications[0]) != name {
			t.Fatalf("channel %q holds %d publications, want %d", name, len(page.Publications), i+1)
		}
		epochs[page.Top.Epoch] = true
	}
	if len(epochs) != len(names) {
		t.Fatalf("%d channels share %d epochs", len(names), len(epochs))
	}
}

func endedContext(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	answer := make(chan error, 1)
	n.Publish(ctx, engine.Proposal{Channel: "log:a"}, func(_ engine.Receipt, err error) { answer <- err })
	n.want(<-answer, context.Canceled)
	if top := n.top("log:a"); top.Offset != 0 {
		t.Fatalf("it was committed as %+v", top)
	}
}

func noHistory(t *testing.T, s Suite) {
	n := start(t, s, always(engine.Rules{}))
	_, err := n.History(context.Background(), "live:a", engine.Query{Limit: 1})
	n.want(err, engine.ErrNoHistory)
	n.want(n.Trim(context.Background(), "live:a", engine.Position{Epoch: 1}), engine.ErrNoHistory)
}
