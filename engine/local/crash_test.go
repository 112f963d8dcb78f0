package local

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// ledger is what clients were told.
type ledger struct {
	mu    sync.Mutex
	acked map[string]map[string]engine.Position // by channel and text
	seen  map[string]engine.Position            // by channel: the newest that a reader saw
}

func newLedger() *ledger {
	return &ledger{acked: map[string]map[string]engine.Position{}, seen: map[string]engine.Position{}}
}

func (l *ledger) ack(channel, text string, p engine.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked[channel] == nil {
		l.acked[channel] = map[string]engine.Position{}
	}
	l.acked[channel][text] = p
}

func (l *ledger) see(channel string, p engine.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Offset > l.seen[channel].Offset {
		l.seen[channel] = p
	}
}

// clone returns what was told up to now.
func (l *ledger) clone() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := newLedger()
	for channel, acked := range l.acked {
		c.acked[channel] = map[string]engine.Position{}
		for text, p := range acked {
			c.acked[channel][text] = p
		}
	}
	for channel, p := range l.seen {
		c.seen[channel] = p
	}
	return c
}

// check compares an engine that was opened after a crash with what clients had been told before it.
func (l *ledger) check(r *rig) {
	r.t.Helper()
	for channel, acked := range l.acked {
		r.wantAcknowledged(channel, acked)
	}
	for channel, p := range l.seen {
		if page := r.page(channel, engine.Query{Since: &p, Limit: 1}); !page.Complete {
			r.t.Fatalf("%q: a reader saw %+v, which is gone", channel, p)
		}
	}
}

// TestLostWrites cuts the power again and again while publishing: of what was not synced, the disk keeps a random part.
func TestLostWrites(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		disk, told := vfs.NewCrashableMem(), newLedger()
		rng := rand.New(rand.NewPCG(seed, 0))
		for range 3 {
			disk, told = crashWhilePublishing(t, disk, told, rng)
		}
		r := mustOpen(t, disk)
		told.check(r)
		r.stop()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// crashWhilePublishing returns the disk as it is after a crash, and what was told before.
func crashWhilePublishing(t *testing.T, disk *vfs.MemFS, told *ledger, rng *rand.Rand) (*vfs.MemFS, *ledger) {
	t.Helper()
	r := mustOpen(t, disk)
	defer r.stop()
	told.check(r)
	before := 20 + rng.IntN(100)
	reached := make(chan struct{})
	var publishing sync.WaitGroup
	round := rng.Uint64()
	for i := range 3 {
		channel := fmt.Sprintf("log:%d", i%2)
		publishing.Go(func() {
			for j := range 2 * before {
				if i == 0 && j == before {
					close(reached)
				}
				text := fmt.Sprintf("%d/%d/%d", round, i, j)
				told.ack(channel, text, r.mustSay(channel, text))
				told.see(channel, r.page(channel, engine.Query{Limit: 1}).Top)
			}
		})
	}
	<-reached
	must := told.clone() // before the crash, so that all of it must survive
	after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	publishing.Wait()
	return after, must
}

// TestLooseLogs checks that a log that does not wait for the disk begins a new epoch after an unclean stop, and only then.
func TestLooseLogs(t *testing.T) {
	disk := vfs.NewCrashableMem()
	r := mustOpen(t, disk)
	empty := r.page("loose:empty", engine.Query{Limit: 1}).Top
	first := r.mustSay("loose:a", "1")
	synced := r.mustSay("log:a", "what this syncs, it syncs of all")
	r.stop()

	r = mustOpen(t, disk)
	second := r.mustSay("loose:a", "2")
	if second.Epoch != first.Epoch {
		t.Fatal("a clean stop began a new epoch")
	}
	r.mustSay("log:a", "syncs 2, too")
	r.mustSay("loose:a", "3")
	crashed := disk.CrashClone(vfs.CrashCloneCfg{})
	r.stop()

	var epoch uint64
	for range 2 { // the second time after another unclean stop, with nothing published in between
		r = mustOpen(t, crashed)
		page := r.page("loose:a", engine.Query{Limit: 10})
		if page.Top.Epoch == first.Epoch || page.Top.Epoch == epoch || page.Publications[0].Epoch != page.Top.Epoch {
			t.Fatalf("top after an unclean stop is %+v, before it was %+v", page.Top, second)
		}
		epoch = page.Top.Epoch
		if len(page.Publications) != 2 {
			t.Fatalf("%d publications survived, want 2", len(page.Publications))
		}
		if page := r.page("loose:a", engine.Query{Since: &first, Limit: 10}); page.Complete || page.Evicted {
			t.Fatalf("page since a position of the old epoch is %+v", page)
		}
		if top := r.page("loose:empty", engine.Query{Limit: 1}).Top; top == empty {
			t.Fatal("an empty log kept its epoch, though it may have lost all that it held")
		}
		if page := r.page("log:a", engine.Query{Since: &synced, Limit: 10}); !page.Complete {
			t.Fatal("a synced log began a new epoch")
		}
		next := crashed.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
		r.stop()
		crashed = next
	}

	r = mustOpen(t, crashed)
	top := r.page("loose:a", engine.Query{Limit: 1}).Top
	third := r.mustSay("loose:a", "4")
	if third.Epoch != top.Epoch || third.Offset != top.Offset+1 {
		t.Fatalf("published at %+v after %+v", third, top)
	}
	r.stop()
	r = mustOpen(t, crashed)
	defer r.stop()
	if page := r.page("loose:a", engine.Query{Since: &third, Limit: 1}); !page.Complete {
		t.Fatal("a clean stop began a new epoch")
	}
}
