package hub

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/engine"
)

// archive is a log that counts how often it is read.
type archive struct {
	Hub
	channel *channel
	reads   atomic.Int64
	entries int
	err     error
	delay   time.Duration
}

func newArchive(kind engine.Kind, entries int) *archive {
	a := &archive{channel: newChannel(nil, "log:x", engine.Rules{Kind: kind}), entries: entries}
	a.move(1)
	return a
}

// move makes offset the newest in the ring.
func (a *archive) move(offset uint64) {
	a.channel.ring.top.Store(&engine.Position{Epoch: 1, Offset: offset, Tag: 1})
}

func (a *archive) read(ctx context.Context, offset uint64) (*page, error) {
	at := place{channel: a.channel, at: engine.Position{Epoch: 1, Offset: offset, Tag: 1}}
	return a.readOnce(ctx, at, func() (*page, error) {
		a.reads.Add(1)
		time.Sleep(a.delay)
		return &page{entries: entries(make([]*engine.Publication, a.entries))}, a.err
	})
}

// TestReadersShare has many readers at one place at once: one read serves all, and each has a page of its own to read from.
func TestReadersShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchive(engine.KindLog, 5)
		a.delay = time.Millisecond
		var readers sync.WaitGroup
		for range 100 {
			readers.Go(func() {
				p, err := a.read(t.Context(), 7)
				if err != nil {
					t.Error(err)
					return
				}
				got := 0
				for p.next() != nil {
					got++
				}
				if got != a.entries {
					t.Errorf("%d entries, want %d", got, a.entries)
				}
			})
		}
		readers.Wait()
		if n := a.reads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestWhatIsShared(t *testing.T) {
	for name, test := range map[string]struct {
		kind    engine.Kind
		entries int
		between func(a *archive)
		offset  uint64 // of the second read; the first is at 7
		want    int64
	}{
		"the same":      {engine.KindLog, 3, func(*archive) {}, 7, 1},
		"another place": {engine.KindLog, 3, func(*archive) {}, 8, 2},
		"of a map":      {engine.KindMap, 3, func(*archive) {}, 7, 2},
		"nothing in it": {engine.KindLog, 0, func(*archive) {}, 7, 2},
		"news since":    {engine.KindLog, 3, func(a *archive) { a.move(2) }, 7, 2},
		"too old":       {engine.KindLog, 3, func(*archive) { time.Sleep(shareFor) }, 7, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newArchive(test.kind, test.entries)
			for i, offset := range []uint64{7, test.offset} {
				if _, err := a.read(t.Context(), offset); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					test.between(a)
				}
			}
			if n := a.reads.Load(); n != test.want {
				t.Errorf("%s: %d reads, want %d", name, n, test.want)
			}
			time.Sleep(shareFor)
			a.shared.sweep(time.Now())
			if len(a.shared.reads) > 0 {
				t.Errorf("%s: %d reads are still held", name, len(a.shared.reads))
			}
		})
	}
}

// TestFailureIsNotShared has a read fail for whom made it: who waited for it tries again.
func TestFailureIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchive(engine.KindLog, 3)
		a.err, a.delay = errors.New("no"), time.Millisecond
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				if _, err := a.read(t.Context(), 7); !errors.Is(err, a.err) {
					t.Errorf("error %v", err)
				}
			})
		}
		readers.Wait()
		if n := a.reads.Load(); n != 3 {
			t.Errorf("%d reads", n)
		}
		if len(a.shared.reads) > 0 {
			t.Error("a failed read is held")
		}
	})
}

// TestSharedIsBounded asks at more places than are held.
func TestSharedIsBounded(t *testing.T) {
	a := newArchive(engine.KindLog, 3)
	for range 2 {
		for offset := range uint64(2 * maxShared) {
			if _, err := a.read(t.Context(), offset); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(a.shared.reads) != maxShared || a.reads.Load() < 3*maxShared {
		t.Errorf("%d held, %d reads", len(a.shared.reads), a.reads.Load())
	}
}
