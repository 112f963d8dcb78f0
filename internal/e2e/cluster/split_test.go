package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/internal/testkit"
)

// lease is for how long the other nodes take one for alive that they do not hear of. It takes some seconds more until its
// keys are deleted; what a test waits for beyond that is for a machine that is busy.
const (
	lease       = 10 * time.Second
	convergence = lease + 5*time.Second
	busyMachine = 15 * time.Second
)

// A node is killed and its clients are gone for good: the others see their keys and their presence vanish.
func TestKilledNodeLeavesNoGhosts(t *testing.T) {
	t.Parallel()
	run, w := testkit.Begin("D11"), newTown(t)
	w.watches = w.watches[1:] // the first watcher dies with its node
	w.nodes[0].kill()
	killed := time.Now()
	w.close(0)
	w.wantWithin(convergence+busyMachine, w.of(1, 2)...)
	vanished := time.Since(killed)
	if vanished > convergence {
		t.Errorf("ghosts were seen for %v, want %v", vanished, convergence)
	}
	w.watches = append(w.watches, w.watch(w.connect(t, 1))) // a watcher who comes later
	w.wantWithin(busyMachine, w.of(1, 2)...)
	run.Counted = fmt.Sprintf("%d owners gone: nobody sees them %.1f s after the kill", ownersAtNode, vanished.Seconds())
	run.End(t)
}

// A node is killed and its clients go to the others: they are seen there, and when the dead node's lease ends, their old
// sessions vanish, and nothing of the new ones does.
func TestKilledNodeIsLeft(t *testing.T) {
	t.Parallel()
	run, w := testkit.Begin("D11"), newTown(t)
	w.watches = w.watches[1:]
	w.ways[0].lead(w.nodes[1].addr, w.nodes[2].addr)
	before := w.owners[0].Session()
	w.nodes[0].kill()
	killed := time.Now()
	testkit.Eventually(t, "the clients are elsewhere", func() bool {
		return w.owners[0].Session() != before
	})
	w.wantWithin(convergence+busyMachine, w.names...)
	took := time.Since(killed)
	if took > convergence {
		t.Errorf("old sessions were seen for %v, want %v", took, convergence)
	}
	w.wantStill(convergence-took, w.names...)
	run.Counted = fmt.Sprintf("%d owners moved: their old sessions vanish %.1f s after the kill", ownersAtNode, took.Seconds())
	run.End(t)
}

// A node is split from Redis for longer than its lease, or stopped, and comes back: meanwhile the others do not see its
// clients, and afterwards everybody sees everybody once, on all nodes.
func TestSplitNode(t *testing.T) {
	t.Parallel()
	for name, split := range map[string]func(w *town) (heal func()){
		"from Redis": func(w *town) func() {
			w.lines[0].set(lineSilent)
			return func() { w.lines[0].set(lineOpen) }
		},
		"stopped": func(w *town) func() {
			w.nodes[0].pause()
			return w.nodes[0].resume
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testSplitNode(t, split)
		})
	}
}

func testSplitNode(t *testing.T, split func(w *town) (heal func())) {
	t.Helper()
	const rounds = 2 // what was left behind by the first is found by the second
	still := testkit.Scale(time.Second, 20*time.Second)
	run, w := testkit.Begin("D11"), newTown(t)
	everywhere, elsewhere := w.watches, w.watches[1:]
	var gone, back time.Duration
	for range rounds {
		heal := split(w)
		w.watches = elsewhere
		gone = max(gone, w.wantWithin(convergence+busyMachine, w.of(1, 2)...))
		w.wantStill(still, w.of(1, 2)...)
		heal()
		w.watches = everywhere
		back = max(back, w.wantWithin(busyMachine, w.names...))
		w.wantStill(still, w.names...)
	}
	if gone > convergence {
		t.Errorf("ghosts were seen for %v, want %v", gone, convergence)
	}
	run.Counted = fmt.Sprintf("%d splits: %d owners vanish within %.1f s, and are back %.1f s after it is healed",
		rounds, ownersAtNode, gone.Seconds(), back.Seconds())
	run.End(t)
}
