package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/earshot/earshot/engine"
)

// faulty is a disk whose writes fail from the countdown's end on: once, or until it is mended.
type faulty struct {
	left    atomic.Int64 // writes until the first that fails
	forever bool
	err     error
	hit     atomic.Bool
}

func (f *faulty) String() string { return "faulty" }

func (f *faulty) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpLock {
		return nil
	}
	left := f.left.Add(-1)
	if left > 0 || (left < 0 && !f.forever) {
		return nil
	}
	f.hit.Store(true)
	return &vfsError{op: fmt.Sprint(op.Kind, " ", op.Path), err: f.err}
}

type vfsError struct {
	op  string
	err error
}

func (e *vfsError) Error() string { return e.op + ": " + e.err.Error() }

func (e *vfsError) Unwrap() error { return e.err }

// TestEveryWriteFails has each write to the disk fail in turn, while opening, publishing, flushing and closing. The
// process must live, answers must be clear, reads and unretained channels must go on, and after a restart everything
// that was acknowledged must be there.
func TestEveryWriteFails(t *testing.T) {
	for _, forever := range []bool{false, true} {
		for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
			t.Run(fmt.Sprintf("%v/forever=%v", cause, forever), func(t *testing.T) {
				t.Parallel()
				hits := 0
				for n := int64(1); ; n += 1 + n/12 {
					f := &faulty{forever: forever, err: cause}
					f.left.Store(n)
					failAt(t, f)
					if !f.hit.Load() {
						break
					}
					hits++
				}
				t.Logf("%d failures", hits)
			})
		}
	}
}

func failAt(t *testing.T, f *faulty) {
	t.Helper()
	disk := vfs.NewMem()
	acked := map[string]engine.Position{}
	if r, err := openRig(t, Options{FS: errorfs.Wrap(disk, f)}); err == nil {
		publishUntilFailure(t, r, f, acked)
		r.stop()
	} else if !errors.Is(err, f.err) {
		t.Fatalf("open: %v", err)
	}
	r := mustOpen(t, disk)
	defer r.stop()
	r.wantAcknowledged("log:a", acked)
	r.mustSay("log:a", "after")
}

// publishUntilFailure publishes enough to fill memtables; then it checks what still has to work.
func publishUntilFailure(t *testing.T, r *rig, f *faulty, acked map[string]engine.Position) {
	t.Helper()
	for i := range 60 {
		text := fmt.Sprint(i, strings.Repeat("x", 20_000))
		rc, err := r.say("log:a", text)
		if err == nil {
			acked[text] = rc.Position
			continue
		}
		if !errors.Is(err, engine.ErrUnavailable) && !errors.Is(err, engine.ErrDiskFull) {
			t.Fatalf("publish: %v", err)
		}
		if fault := r.Fault(); errors.Is(err, engine.ErrUnavailable) && (fault == nil || !fault.Final || fault.Since.IsZero()) {
			t.Fatalf("after %v the fault is %v", err, fault)
		}
		if errors.Is(f.err, syscall.ENOSPC) && !errors.Is(err, engine.ErrDiskFull) {
			t.Fatalf("publish on a full disk: %v", err)
		}
		break
	}
	if _, err := r.Subscribe(context.Background(), "live:a"); err != nil {
		t.Fatal(err)
	}
	r.mustSay("live:a", "still there")
	if got := len(r.all("log:a")); got != len(acked) {
		t.Fatalf("%d publications are visible, %d were acknowledged", got, len(acked))
	}
}

// space is a disk of a certain size, as far as its free space is asked for and tables are written.
type space struct {
	vfs.FS
	free atomic.Int64
}

func (s *space) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(s.free.Load())}, nil
}

func TestReserveIsKept(t *testing.T) {
	disk := &space{FS: vfs.NewMem()}
	disk.free.Store(100 << 20)
	r, err := openRig(t, Options{FS: disk, ReserveBytes: 10 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	before := r.mustSay("log:a", "there is room")
	disk.free.Store(10<<20 - 1)
	for n := 0; ; n++ {
		if _, err := r.say("loose:a", fmt.Sprint("there is none ", n)); errors.Is(err, engine.ErrDiskFull) {
			break
		}
	}
	if _, err := r.say("log:a", "there is none"); !errors.Is(err, engine.ErrDiskFull) {
		t.Fatalf("publish below the reserve: %v", err)
	}
	if fault := r.Fault(); !errors.Is(fault, engine.ErrDiskFull) || fault.Final || time.Since(fault.Since) > time.Minute {
		t.Fatalf("the fault is %v", fault)
	}
	r.mustSay("live:a", "nothing is written")
	if page := r.page("log:a", engine.Query{Limit: 1}); page.Top != before {
		t.Fatalf("top is %+v, want %+v", page.Top, before)
	}
	disk.free.Store(100 << 20)
	wantEventually(t, func() bool {
		_, err := r.say("log:a", "there is room again")
		return err == nil
	})
	if fault := r.Fault(); fault != nil {
		t.Fatal(fault)
	}
}

// wantEventually waits for what the upkeep brings about.
func wantEventually(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for tick := time.Tick(10 * time.Millisecond); !ok(); {
		select {
		case <-deadline:
			t.Fatal("it never happened")
		case <-tick:
		}
	}
}

// TestFlushFindsNoRoom fills the disk for tables only: publishes are refused until the flush got through, on its own.
func TestFlushFindsNoRoom(t *testing.T) {
	disk := vfs.NewMem()
	var full atomic.Bool
	r, err := openRig(t, Options{FS: errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && roleOf(op.Path) == roleTable && op.Kind == errorfs.OpFileWrite {
			return syscall.ENOSPC
		}
		return nil
	}))})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	acked := map[string]engine.Position{}
	wantEventually(t, func() bool {
		text := fmt.Sprint(len(acked), strings.Repeat("x", 50_000))
		rc, err := r.say("log:a", text)
		if err == nil {
			acked[text] = rc.Position
		}
		return errors.Is(err, engine.ErrDiskFull)
	})
	full.Store(false)
	wantEventually(t, func() bool {
		_, err := r.say("log:b", "there is room again")
		return err == nil
	})
	r.wantAcknowledged("log:a", acked)
	r.stop()
}

func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openRig(t, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("opening a folder twice: %v", err)
	}
	r.stop()
	again, err := openRig(t, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	again.stop()
}
