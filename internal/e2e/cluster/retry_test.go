package cluster

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// The answer to a publish is lost on its way, or the node dies with it: published again with the same id, through each of the
// other nodes and the one that was started anew, it is committed once, and answered alike.
func TestRetryThroughAnotherNode(t *testing.T) {
	t.Parallel()
	rounds := testkit.Scale(6, 60)
	run, f, crew := testkit.Begin("D7"), startFleet(t), newCrew(t)
	sub, err := f.connect(t, 2).Subscribe(crew.ctx, "log:retry", client.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var tries int
	for round := range rounds {
		frame := fmt.Sprintf(`{"id":1,"pub":{"ch":"log:retry","idem":"k%d","data":%d}}`, round, round)
		lost := startLine(t, f.nodes[0].addr)
		first := testkit.Connect(t, "http://"+lost.addr())
		lost.set(lineDeaf)
		first.Send(frame)
		seen, err := sub.Next(crew.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 {
			f.nodes[0].kill()
			f.nodes[0].start()
		}
		for _, i := range []int{1, 2, 0} {
			again := testkit.Connect(t, f.nodes[i].url())
			again.Send(frame)
			again.Want("published", fmt.Sprintf(`{"id":1,"off":%d,"pos":%q,"dup":true}`, round+1, seen.After()))
			again.Send(fmt.Sprintf(`{"id":2,"pub":{"ch":"log:retry","idem":"k%d","data":"another"}}`, round))
			again.Want("error", fmt.Sprintf(`{"id":2,"code":%d}`, wire.CodeIdemReused))
			tries++
		}
	}
	page, err := f.connect(t, 1).History(crew.ctx, "log:retry", client.HistoryOptions{})
	if err != nil || len(page.Publications) != min(rounds, 50) || page.Publications[len(page.Publications)-1].Offset != uint64(rounds) {
		t.Errorf("the log ends with %d publications, %v; want %d", len(page.Publications), err, rounds)
	}
	run.Counted = fmt.Sprintf("%d answers lost, %d of them with their node, %d tries through all nodes", rounds, rounds/2, tries)
	run.End(t)
}

// All nodes are asked at once to publish the same, many times: each message is committed once, and all answers name it.
func TestSamePublishEverywhere(t *testing.T) {
	t.Parallel()
	messages := testkit.Scale(200, 5000)
	run, f, crew := testkit.Begin("D7"), startFleet(t), newCrew(t)
	a := answers{offsets: make(map[int]uint64), firsts: make(map[int]int)}
	for i := range f.nodes {
		c := f.connect(t, i)
		crew.do(func(ctx context.Context) error {
			for n := range messages {
				m := client.Message{Data: wire.JSONData(fmt.Append(nil, n))}
				p, err := c.Publish(ctx, "log:same", m, client.PublishOptions{Idem: fmt.Sprint("k", n)})
				if err == nil {
					err = a.enter(n, p)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	crew.wait()
	for n := range messages {
		if a.firsts[n] != 1 {
			t.Errorf("message %d was committed %d times", n, a.firsts[n])
		}
	}
	run.Counted = fmt.Sprintf("%d messages, each published through %d nodes at once", messages, nodeCount)
	run.End(t)
}

// answers are what the nodes said of the same messages.
type answers struct {
	mu sync.Mutex
	// Guarded by mu.
	offsets map[int]uint64 // by message
	firsts  map[int]int    // answers that are not those of an earlier try, by message
}

func (a *answers) enter(n int, p client.Published) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if other, known := a.offsets[n]; known && other != p.Offset {
		return fmt.Errorf("message %d is answered with the offsets %d and %d", n, other, p.Offset)
	}
	a.offsets[n] = p.Offset
	if !p.Duplicate {
		a.firsts[n]++
	}
	return nil
}
