package session

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/earshot/earshot/wire"
)

// How clients are sent to other nodes: so many in each step, so that 500 come to them in a second.
const (
	drainStep     = 50 * time.Millisecond
	drainEachStep = 25
)

// Draining reports whether the node takes no new connections.
func (n *Node) Draining() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.draining
}

// Drain tells every client to come back, and waits until they are gone or ctx ends. New connections are refused from its
// call on. Where there are other nodes, clients are sent to them over a window; otherwise all are told at once to come back
// after a delay, each its own, as nobody serves them until this node is back.
func (n *Node) Drain(ctx context.Context) error {
	links := n.refuse()
	if n.Peers != nil {
		links = sendAway(ctx, links)
	}
	bid(links, drainSpread(len(links)))
	select {
	case <-n.empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuse makes Connect fail and returns the links there are.
func (n *Node) refuse() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.draining && len(n.links) == 0 {
		close(n.empty)
	}
	n.draining = true
	links := make([]*Link, 0, len(n.links))
	for l := range n.links {
		links = append(links, l)
	}
	return links
}

// sendAway ends links step by step, in no particular order, and returns those that are left when its time is over: 30 s, or
// three quarters of what ctx has.
func sendAway(ctx context.Context, links []*Link) []*Link {
	window := drainSpread(len(links))
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)*3/4)
	}
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	step := time.NewTicker(drainStep)
	defer step.Stop()
	for ctx.Err() == nil {
		now := min(len(links), drainEachStep)
		bid(links[:now], time.Second)
		if links = links[now:]; len(links) == 0 {
			break
		}
		select {
		case <-step.C:
		case <-ctx.Done():
		}
	}
	return links
}

// bid tells clients to come back within spread, each at a time of its own.
func bid(links []*Link, spread time.Duration) {
	for _, l := range links {
		l.end(wire.Bye{Code: wire.CloseDraining, Delay: rand.N(spread)})
	}
}

// drainSpread returns over how long n clients are to come back: 500 each second, at least 1 s and at most 30 s.
func drainSpread(n int) time.Duration {
	return min(max(time.Duration(n)*2*time.Millisecond, time.Second), 30*time.Second)
}
