package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// others stands for nodes that nobody talks to.
type others struct{ engine.Nodes }

// parting is a connection that is gone as soon as it is closed.
type parting struct {
	link   *Link
	closed time.Time
	code   wire.Code
}

func (p *parting) Notify() {}

func (p *parting) Close(code wire.Code, _ string) {
	p.closed, p.code = time.Now(), code
	p.link.Lost()
}

// drainOf drains a node with n connections and returns after what time each was closed.
func drainOf(t *testing.T, peers engine.Nodes, n int, within time.Duration) (closed []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		node := NewNode(Config{Peers: peers})
		var all []*parting
		for range n {
			p := &parting{}
			p.link = node.NewLink(p, &frameTable{}, Handshake{})
			p.link.Connected()
			all = append(all, p)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		if err := node.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.code != wire.CloseDraining {
				t.Fatalf("closed with %d", p.code)
			}
			closed = append(closed, p.closed.Sub(began))
		}
	})
	return closed
}

// latest returns how late the last was closed, and at how many different times they were.
func latest(closed []time.Duration) (last time.Duration, times int) {
	seen := map[time.Duration]bool{}
	for _, d := range closed {
		last, seen[d] = max(last, d), true
	}
	return last, len(seen)
}

func TestDrainSendsClientsToOtherNodesOverAWindow(t *testing.T) {
	if last, times := latest(drainOf(t, others{}, 1000, time.Minute)); last != 1950*time.Millisecond || times != 40 {
		t.Errorf("the last of 1000 went after %v, at %d times", last, times)
	}
	if last, _ := latest(drainOf(t, others{}, drainEachStep, time.Minute)); last != 0 {
		t.Errorf("the last of a few went after %v", last)
	}
}

func TestDrainEndsBeforeItsContext(t *testing.T) {
	if last, times := latest(drainOf(t, others{}, 1000, time.Second)); last != 750*time.Millisecond || times < 10 {
		t.Errorf("the last went after %v, at %d times", last, times)
	}
}

func TestDrainOfTheOnlyNodeIsAtOnce(t *testing.T) {
	if last, _ := latest(drainOf(t, nil, 1000, time.Minute)); last != 0 {
		t.Errorf("the last went after %v", last)
	}
}
