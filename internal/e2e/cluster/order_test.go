package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// history is what the clients of one log did, and when.
type history struct {
	began time.Time

	mu         sync.Mutex
	operations []porcupine.Operation // guarded by mu
}

// note adds what a client did from call until now.
func (h *history) note(who int, call time.Duration, input, output any) {
	now := time.Since(h.began)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, porcupine.Operation{
		ClientId: who, Call: int64(call), Return: int64(now), Input: input, Output: output,
	})
}

func (h *history) length() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.operations)
}

// harms are what is done in the midst of a history.
var harms = []func(f *fleet){
	func(*fleet) {},
	func(f *fleet) {
		victim := f.nodes[rand.N(nodeCount)]
		victim.kill()
		victim.start()
	},
	func(f *fleet) {
		f.redis.kill()
		f.redis.start()
	},
	func(f *fleet) {
		victim := f.lines[rand.N(nodeCount)]
		victim.set(lineDeaf) // so that Redis commits what the node is not told of
		<-victim.swallowed
		victim.set(lineOpen)
	},
}

// Publishers and readers of one log at three nodes, at once, while a node or Redis is killed, or the answers of Redis to one
// node are lost: the history of what they did and were told is that of a single log. Many logs have their turn.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	logs, each := testkit.Scale(8, 40), testkit.Scale(40, 120)
	run, f := testkit.Begin("D8"), startFleet(t)
	operations, repeats := 0, 0
	for n := range logs {
		h := &history{began: time.Now()}
		repeats += f.live(t, h, fmt.Sprintf("log:order-%d", n), each, harms[n%len(harms)])
		wantOneLog(t, h.operations)
		operations += len(h.operations)
	}
	run.Counted = fmt.Sprintf("%d histories of %d operations in all at %d nodes, %d publishes through two nodes",
		logs, operations, nodeCount, repeats)
	run.End(t)
}

// wantOneLog has porcupine judge a history, and, so that its judgement means something, a falsified copy.
func wantOneLog(t *testing.T, operations []porcupine.Operation) {
	t.Helper()
	if got := porcupine.CheckOperationsTimeout(logModel, operations, patience); got != porcupine.Ok {
		t.Fatalf("the history of %d operations is %s", len(operations), got)
	}
	if got := porcupine.CheckOperationsTimeout(logModel, falsified(operations), patience); got != porcupine.Illegal {
		t.Fatalf("a falsified history is %s", got)
	}
}

// falsified returns the operations as if one subscriber had been told two publications in another order.
func falsified(operations []porcupine.Operation) []porcupine.Operation {
	lies := slices.Clone(operations)
	var told []int
	for i, op := range lies {
		if _, ok := op.Output.(heard); ok && op.ClientId == lastReader {
			told = append(told, i)
		}
	}
	a, b := told[len(told)/2], told[len(told)/2+1]
	one, other := lies[a].Output.(heard), lies[b].Output.(heard)
	lies[a].Output, lies[b].Output = heard{one.offset, other.message}, heard{other.offset, one.message}
	return lies
}

// Who is who in a history: publishers, subscribers and pagers, one of each at every node.
const lastReader = 2*nodeCount - 1

// live has every node serve a publisher, a subscriber and one who reads pages. Every fourth message is published through
// another node as well. It returns how many those were.
func (f *fleet) live(t *testing.T, h *history, channel string, each int, harm func(*fleet)) (repeats int) {
	t.Helper()
	crew, ways := newCrew(t), newRoamer(f.addrs()...)
	total := each * nodeCount
	for i := range f.nodes {
		c := ways.connect(t, client.Options{}) // comes back to any node when its own is killed
		sub, err := c.Subscribe(crew.ctx, channel, client.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		crew.do(func(ctx context.Context) error { return h.hear(ctx, nodeCount+i, sub, total) })
		crew.do(func(ctx context.Context) error { return h.page(ctx, 2*nodeCount+i, c, channel, total) })
	}
	for i := range f.nodes {
		one, other := f.connect(t, i), f.connect(t, (i+1)%nodeCount)
		repeats += (each + 3) / 4
		crew.do(func(ctx context.Context) error {
			for n := range each {
				if err := h.publish(ctx, i, one, other, channel, i*each+n, n%4 == 0); err != nil {
					return err
				}
			}
			return nil
		})
	}
	testkit.Eventually(t, "a part of the history is over", func() bool { return h.length() > total })
	harm(f)
	crew.wait()
	return repeats
}

// publish publishes a message, or has two nodes do it at once.
func (h *history) publish(ctx context.Context, who int, one, other *client.Client, channel string, message int, twice bool) error {
	clients := []*client.Client{one}
	if twice {
		clients = append(clients, other)
	}
	errs := make([]error, len(clients))
	var publishing sync.WaitGroup
	for i, c := range clients {
		publishing.Go(func() {
			call := time.Since(h.began)
			m := client.Message{Data: wire.JSONData(fmt.Append(nil, message))}
			p, err := c.Publish(ctx, channel, m, client.PublishOptions{Idem: fmt.Sprint("m", message)})
			if errs[i] = err; err == nil {
				h.note(who, call, say{message}, said{int(p.Offset)})
			}
		})
	}
	publishing.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// hear notes what a subscriber is told, until it has all.
func (h *history) hear(ctx context.Context, who int, sub *client.Subscription, total int) error {
	for offset := 0; offset < total; {
		call := time.Since(h.began)
		ev, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		p, ok := ev.(client.Publication)
		if !ok || int(p.Offset) != offset+1 {
			return fmt.Errorf("subscriber %d is told %#v after offset %d", who, ev, offset)
		}
		offset++
		message, err := messageOf(p)
		if err != nil {
			return err
		}
		h.note(who, call, hear{}, heard{offset, message})
	}
	return nil
}

// page notes what pages of the newest publications hold, until one has all.
func (h *history) page(ctx context.Context, who int, c *client.Client, channel string, total int) error {
	for {
		call := time.Since(h.began)
		page, err := c.History(ctx, channel, client.HistoryOptions{Limit: wire.MaxPageLimit})
		if err != nil {
			return err
		}
		out := looked{first: 1}
		for i, p := range page.Publications {
			if i == 0 {
				out.first = int(p.Offset)
			}
			message, err := messageOf(p)
			if err != nil {
				return err
			}
			out.messages = append(out.messages, message)
		}
		h.note(who, call, look{}, out)
		if len(out.messages) == total {
			return nil
		}
	}
}

func messageOf(p client.Publication) (message int, err error) {
	err = p.Decode(&message)
	return message, err
}
