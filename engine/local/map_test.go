package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// until waits for what upkeep does in its own time.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for late := time.After(time.Minute); !so(); {
		select {
		case <-look.C:
		case <-late:
			r.t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

// A map with more owned and expiring keys, and more tombstones, than one round of upkeep looks at.
func TestMapUpkeepInRounds(t *testing.T) {
	const keys = 2*tendAtOnce + 100
	var clock atomic.Int64
	clock.Store(1_700_000_000_000)
	o := Options{
		FS: vfs.NewMem(), Now: func() time.Time { return time.UnixMilli(clock.Load()) },
		Rules: func(string) engine.Rules { return engine.Rules{Kind: engine.KindMap} },
	}
	open := func() *rig {
		r, err := openRig(t, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	r.setAll(keys)
	at := r.page("map:a", engine.Query{Limit: 1}).Top
	r.stop()

	clock.Add(2 * time.Minute.Milliseconds())
	r = open()
	defer r.stop()
	r.until("the keys of the earlier run, and those whose time is over, are deleted", func() bool {
		page := r.page("map:a", engine.Query{Limit: 10})
		if len(page.Publications) > 0 {
			t.Errorf("%d keys are shown of which the owner or the time is gone", len(page.Publications))
		}
		return page.Keys == 0
	})
	// The sweep that comes round by itself may have dropped tombstones already.
	page := r.page("map:a", engine.Query{Since: &at, Limit: 2 * keys})
	if told := len(page.Publications); page.Complete && told != keys || page.Complete == page.Evicted {
		t.Errorf("a reader from before is told of %d deletions, want %d; evicted: %v", told, keys, page.Evicted)
	}

	// Only the newest tombstones stay, and who does not know of the others starts anew.
	r.sweepMap(t.Context(), "map:a")
	r.until("the oldest tombstones are dropped", func() bool {
		page := r.page("map:a", engine.Query{Since: &at, Limit: 1})
		return !page.Complete && page.Evicted
	})
	top := r.page("map:a", engine.Query{Limit: 1}).Top
	if page := r.page("map:a", engine.Query{Since: &top, Limit: 1}); !page.Complete {
		t.Error("the newest position cannot be continued")
	}
}

// setAll sets n keys of map:a, every other one for a minute, the others of a session.
func (r *rig) setAll(n int) {
	r.t.Helper()
	var answers sync.WaitGroup
	for i := range n {
		change := &engine.MapChange{Key: fmt.Sprint(i), Owner: "ann"}
		if i%2 == 0 {
			change = &engine.MapChange{Key: fmt.Sprint(i), TTL: time.Minute}
		}
		answers.Add(1)
		r.Publish(context.Background(), engine.Proposal{Channel: "map:a", Map: change}, func(_ engine.Receipt, err error) {
			defer answers.Done()
			if err != nil {
				r.t.Error(err)
			}
		})
	}
	answers.Wait()
}

// The crash takes what was not synced: no key that was acknowledged is lost, and none is there twice.
func TestMapAfterACrash(t *testing.T) {
	for seed := range uint64(10) {
		disk := vfs.NewCrashableMem()
		o := Options{FS: disk, Rules: func(string) engine.Rules { return engine.Rules{Kind: engine.KindMap} }}
		r, err := openRig(t, o)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]uint64)
		for i := range 100 {
			change := &engine.MapChange{Key: fmt.Sprint(i % 10), Delete: i%7 == 0}
			receipt, err := engine.PublishWait(t.Context(), r, engine.Proposal{Channel: "map:a", Map: change})
			if err != nil {
				t.Fatal(err)
			}
			if want[change.Key] = receipt.Position.Offset; change.Delete {
				delete(want, change.Key)
			}
		}
		random := rand.New(rand.NewPCG(seed, 1))
		o.FS = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		r.stop()
		if r, err = openRig(t, o); err != nil {
			t.Fatal(err)
		}
		page := r.page("map:a", engine.Query{Limit: 100})
		for _, p := range page.Publications {
			if want[p.Key] != p.Offset {
				t.Errorf("seed %d: key %s has version %d, want %d", seed, p.Key, p.Offset, want[p.Key])
			}
		}
		if len(page.Publications) != len(want) || page.Keys != len(want) {
			t.Errorf("seed %d: %d keys, and it says %d, want %d", seed, len(page.Publications), page.Keys, len(want))
		}
		r.stop()
	}
}
