package hub

import (
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

const epoch = 7

// entryAt returns the entry at offset with a payload of n bytes; tags are the offsets.
func entryAt(offset uint64, n int) *Entry {
	return &Entry{Publication: &engine.Publication{
		Position: engine.Position{Epoch: epoch, Offset: offset, Tag: uint32(offset)},
		PrevTag:  uint32(offset - 1),
		Message:  wire.Message{Data: wire.BinaryData(make([]byte, n))},
	}}
}

func ringOf(rules engine.Rules) *ring {
	r := new(ring)
	r.bound(rules)
	return r
}

// held returns the offsets that r holds, and fails the test if they are not consecutive up to the top.
func held(t *testing.T, r *ring) (from, to uint64) {
	t.Helper()
	top := r.top.Load()
	for o := r.base.Load(); o <= top.Offset; o++ {
		if e := r.at(top.Epoch, o); e == nil || e.Offset != o {
			t.Fatalf("offset %d is not held, base %d, top %d", o, r.base.Load(), top.Offset)
		}
	}
	if r.at(top.Epoch, r.base.Load()-1) != nil || r.at(top.Epoch, top.Offset+1) != nil {
		t.Fatal("holds an offset outside of base and top")
	}
	return r.base.Load(), top.Offset
}

func TestRingHoldsTheNewest(t *testing.T) {
	r := ringOf(engine.Rules{})
	r.start(engine.Position{Epoch: epoch, Offset: 10, Tag: 10})
	if r.oldest() != nil {
		t.Fatal("a ring that was just started holds an entry")
	}
	for o := uint64(11); o <= 3_000; o++ {
		r.append(entryAt(o, 1))
		from, to := held(t, r)
		if want := max(11, o+1-min(o, maxRingEntries)); to != o || from != want {
			t.Fatalf("holds %d to %d after %d, want from %d", from, to, o, want)
		}
		if r.oldest().Offset != from {
			t.Fatalf("oldest is %d, want %d", r.oldest().Offset, from)
		}
	}
	r.shrink()
	if from, to := held(t, r); to != 3_000 || to-from != minRingEntries-1 {
		t.Fatalf("shrunk to %d to %d", from, to)
	}
	r.append(entryAt(3_001, 1))
	if _, to := held(t, r); to != 3_001 {
		t.Fatal("does not go on after it was shrunk")
	}
}

func TestRingIsBoundedInBytes(t *testing.T) {
	r := ringOf(engine.Rules{})
	r.start(engine.Position{Epoch: epoch})
	for o := uint64(1); o <= 100; o++ {
		r.append(entryAt(o, maxRingBytes/10))
	}
	from, to := held(t, r)
	if n := to - from + 1; n != 10 || r.bytes > maxRingBytes {
		t.Fatalf("holds %d entries, %d bytes", n, r.bytes)
	}
	r.append(entryAt(101, 2*maxRingBytes))
	if from, to := held(t, r); from != 101 || to != 101 {
		t.Fatalf("holds %d to %d, want the one large entry", from, to)
	}
}

// What retention has dropped, the ring does not hold either.
func TestRingKeepsToRetention(t *testing.T) {
	fill := func(rules engine.Rules) *ring {
		r := ringOf(rules)
		r.start(engine.Position{Epoch: epoch})
		for o := uint64(1); o <= 100; o++ {
			e := entryAt(o, 10)
			e.UnixMS = int64(o)
			r.append(e)
		}
		return r
	}
	for name, tc := range map[string]struct {
		rules engine.Rules
		held  uint64
	}{
		"one":            {engine.Rules{MaxPublications: 1}, 1},
		"count":          {engine.Rules{MaxPublications: 40}, 40},
		"count of two^n": {engine.Rules{MaxPublications: 64}, 64},
		"bytes":          {engine.Rules{MaxBytes: 200}, 20},
	} {
		if from, to := held(t, fill(tc.rules)); to-from+1 != tc.held {
			t.Errorf("%s: holds %d to %d", name, from, to)
		}
	}
	aged := fill(engine.Rules{})
	aged.expire(91)
	if from, to := held(t, aged); from != 91 || to != 100 {
		t.Errorf("holds %d to %d after the others expired", from, to)
	}
	aged.expire(1_000)
	if aged.oldest() != nil || aged.top.Load().Offset != 100 {
		t.Error("holds an entry after all expired")
	}
}

func TestRingStartsAnewAfterABreak(t *testing.T) {
	otherEpoch := entryAt(6, 1)
	otherEpoch.Epoch++
	otherTag := entryAt(6, 1)
	otherTag.PrevTag++
	for name, next := range map[string]*Entry{"gap": entryAt(9, 1), "epoch": otherEpoch, "tag": otherTag} {
		r := ringOf(engine.Rules{})
		r.start(engine.Position{Epoch: epoch})
		for o := uint64(1); o <= 5; o++ {
			r.append(entryAt(o, 1))
		}
		r.append(next)
		if from, to := held(t, r); from != next.Offset || to != next.Offset {
			t.Errorf("%s: holds %d to %d", name, from, to)
		}
		if r.bytes != next.Size() {
			t.Errorf("%s: counts %d bytes", name, r.bytes)
		}
	}
}

func TestRingGoesOnElsewhere(t *testing.T) {
	r := ringOf(engine.Rules{})
	r.start(engine.Position{Epoch: epoch})
	r.append(entryAt(1, 1))
	top := engine.Position{Epoch: epoch + 1, Offset: 5, Tag: 5}
	r.restart(top)
	if from, to := held(t, r); from != 6 || to != 5 || r.oldest() != nil || *r.top.Load() != top {
		t.Fatalf("holds %d to %d, the oldest is %v", from, to, r.oldest())
	}
	next := entryAt(6, 1)
	next.Epoch, next.PrevTag = top.Epoch, top.Tag
	r.append(next)
	if from, to := held(t, r); from != 6 || to != 6 {
		t.Fatalf("holds %d to %d", from, to)
	}
}

func TestRingLeavesOutRepeats(t *testing.T) {
	r := ringOf(engine.Rules{})
	r.append(entryAt(5, 1)) // the feed may come before start
	r.start(engine.Position{Epoch: epoch, Offset: 4, Tag: 4})
	r.append(entryAt(6, 1))
	r.append(entryAt(5, 1))
	r.append(entryAt(6, 1))
	if from, to := held(t, r); from != 5 || to != 6 {
		t.Fatalf("holds %d to %d", from, to)
	}
}

// Readers take no lock: whatever the writer does meanwhile, they find the entry that they ask for, or none.
func TestRingReadersBesideTheWriter(t *testing.T) {
	r := ringOf(engine.Rules{})
	r.start(engine.Position{Epoch: epoch})
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			next := uint64(1)
			for {
				select {
				case <-stop:
					return
				default:
				}
				top := r.top.Load()
				if e := r.at(epoch, next); e != nil {
					if e.Offset != next {
						t.Errorf("asked for %d, got %d", next, e.Offset)
					}
					next++
				} else if next <= top.Offset {
					next = max(next, r.base.Load()) // it was evicted
				}
			}
		})
	}
	for o := uint64(1); o <= 50_000; o++ {
		r.append(entryAt(o, 8))
		if o%1_000 == 0 {
			r.shrink()
		}
	}
	close(stop)
	readers.Wait()
}

func BenchmarkRingAppend(b *testing.B) {
	b.ReportAllocs()
	r := ringOf(engine.Rules{})
	r.start(engine.Position{Epoch: epoch})
	pubs := make([]Entry, b.N)
	for i := range pubs {
		pubs[i].Publication = entryAt(uint64(i)+1, 0).Publication
	}
	b.ResetTimer()
	for i := range pubs {
		r.append(&pubs[i])
	}
}

func BenchmarkRingRead(b *testing.B) {
	b.ReportAllocs()
	r := ringOf(engine.Rules{})
	for o := uint64(1); o <= 1_000; o++ {
		r.append(entryAt(o, 128))
	}
	for i := 0; b.Loop(); i++ {
		if r.at(epoch, uint64(i%1_000)+1) == nil {
			b.Fatal("not held")
		}
	}
}

func TestRingOfAMapMarksWhatWasSuperseded(t *testing.T) {
	r := ringOf(engine.Rules{Kind: engine.KindMap})
	r.start(engine.Position{Epoch: epoch})
	var all []*Entry
	for i, key := range []string{"a", "b", "a", "c", "b", "a"} {
		e := entryAt(uint64(i)+1, 1)
		e.Key = key
		all = append(all, e)
		r.append(e)
	}
	for i, want := range []bool{true, true, true, false, false, false} {
		if got := all[i].superseded.Load(); got != want {
			t.Errorf("entry %d: superseded %v, want %v", i+1, got, want)
		}
	}
	for o := uint64(7); o <= 3*maxRingEntries; o++ {
		e := entryAt(o, 1)
		e.Key = "a"
		r.append(e)
	}
	if len(r.latest) != 1 {
		t.Errorf("%d keys are remembered, of which the ring holds one", len(r.latest))
	}
}
