package local

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard stands between Pebble and the disk, because Pebble ends the process when a write that it cannot take back
// fails: by its logger, or, when the write-ahead log is rotated, by a panic that unlocks an unlocked mutex. So Pebble
// never hears of such a failure. The first one marks the store as failed and freezes the disk: nothing is written,
// renamed or removed any more, so whatever Pebble does next, the files stay as they were, for the next start to recover.
//
// A frozen write-ahead log swallows what is written: committing goroutines get through, and find the store failed, which
// they look at after each commit. Frozen background work (flush, compaction, manifest) waits for release.
//
// Tables can be written again, and Pebble does so at once, for ever; so a failure there is passed on after a pause.
type guard struct {
	vfs.FS
	health   *health
	armed    atomic.Bool   // false while Pebble opens: errors pass through then
	released chan struct{} // closed by release
	once     sync.Once
}

// tablePause keeps Pebble from retrying a failed flush or compaction in a busy loop.
const tablePause = 50 * time.Millisecond

var errFrozen = errors.New("disk is frozen after a failure")

func newGuard(fs vfs.FS, h *health) *guard {
	return &guard{FS: fs, health: h, released: make(chan struct{})}
}

// release lets the background work that waits in a frozen store fail, so that the store can be closed.
func (g *guard) release() { g.once.Do(func() { close(g.released) }) }

// role says what a failed write of a file means.
type role uint8

const (
	roleState role = iota // manifest, markers, options: cannot be taken back
	roleLog               // write-ahead log and folders: the same, and its writers must not wait
	roleTable             // can be written again
)

func roleOf(name string) role {
	switch {
	case strings.HasSuffix(name, ".log"):
		return roleLog
	case strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, ".blob"):
		return roleTable
	}
	return roleState
}

// do runs a write, unless the store is frozen, and decides what Pebble hears of a failure.
func (g *guard) do(r role, write func() error) error {
	if !g.armed.Load() {
		return write()
	}
	if g.health.failure() != nil {
		return g.frozen(r)
	}
	err := write()
	if r == roleTable {
		g.tableWritten(err)
		return err
	}
	if err == nil {
		return nil
	}
	g.health.fail(err)
	return g.frozen(r)
}

func (g *guard) frozen(r role) error {
	if r == roleLog {
		return nil
	}
	<-g.released
	return errFrozen
}

// tableWritten notes what a write of a table says about the room on disk, and slows down retries.
func (g *guard) tableWritten(err error) {
	if err == nil {
		if g.health.tight.Load() {
			g.health.set(&g.health.tight, false)
		}
		return
	}
	if isDiskFull(err) {
		g.health.set(&g.health.tight, true)
	}
	select {
	case <-time.After(tablePause):
	case <-g.released:
	}
}

func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open(name, func() (vfs.File, error) { return g.FS.Create(name, c) })
}

func (g *guard) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open(newname, func() (vfs.File, error) { return g.FS.ReuseForWrite(oldname, newname, c) })
}

func (g *guard) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.open(name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, opts...) })
}

func (g *guard) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return guardedFile{File: f, guard: g, role: roleLog}, nil
}

func (g *guard) open(name string, open func() (vfs.File, error)) (vfs.File, error) {
	r := roleOf(name)
	var f vfs.File
	err := g.do(r, func() (err error) {
		f, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	if f == nil { // a write-ahead log that the frozen disk has no place for
		f = vfs.NewMemFile(nil)
	}
	return guardedFile{File: f, guard: g, role: r}, nil
}

func (g *guard) Link(oldname, newname string) error {
	return g.do(roleOf(newname), func() error { return g.FS.Link(oldname, newname) })
}

func (g *guard) Rename(oldname, newname string) error {
	return g.do(roleOf(newname), func() error { return g.FS.Rename(oldname, newname) })
}

func (g *guard) MkdirAll(dir string, perm os.FileMode) error {
	return g.do(roleState, func() error { return g.FS.MkdirAll(dir, perm) })
}

// Remove passes failures on: what could not be removed is found again at the next start.
func (g *guard) Remove(name string) error { return g.remove(name, g.FS.Remove) }

// RemoveAll is like Remove.
func (g *guard) RemoveAll(name string) error { return g.remove(name, g.FS.RemoveAll) }

func (g *guard) remove(name string, remove func(string) error) error {
	if g.armed.Load() && g.health.failure() != nil {
		return g.frozen(roleState)
	}
	return remove(name)
}

// Unwrap returns the file system below (vfs.Root).
func (g *guard) Unwrap() vfs.FS { return g.FS }

// guardedFile is a file or folder opened for writing.
type guardedFile struct {
	vfs.File
	guard *guard
	role  role
}

func (f guardedFile) Write(p []byte) (int, error) {
	n := len(p)
	err := f.guard.do(f.role, func() error { return written(f.File.Write(p)) })
	if err != nil {
		n = 0
	}
	return n, err
}

func (f guardedFile) WriteAt(p []byte, off int64) (int, error) {
	n := len(p)
	err := f.guard.do(f.role, func() error { return written(f.File.WriteAt(p, off)) })
	if err != nil {
		n = 0
	}
	return n, err
}

// written leaves the count away: a short write comes with an error.
func written(_ int, err error) error { return err }

// Preallocate is a hint: Pebble ignores its failure, and not every disk can do it.
func (f guardedFile) Preallocate(offset, length int64) error {
	if f.guard.armed.Load() && f.guard.health.failure() != nil {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

func (f guardedFile) Sync() error { return f.guard.do(f.role, f.File.Sync) }

func (f guardedFile) SyncData() error { return f.guard.do(f.role, f.File.SyncData) }

func (f guardedFile) SyncTo(length int64) (fullSync bool, err error) {
	err = f.guard.do(f.role, func() (err error) {
		fullSync, err = f.File.SyncTo(length)
		return err
	})
	return fullSync, err
}

// Close closes the file even in a frozen store: it gives back the descriptor. A write-ahead log is synced before.
func (f guardedFile) Close() error {
	err := f.File.Close()
	if err != nil && f.role == roleLog && f.guard.armed.Load() {
		f.guard.health.fail(err)
		return nil
	}
	return err
}
