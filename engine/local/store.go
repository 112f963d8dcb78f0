package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// format is the version of the layout that keys.go describes.
const format = 1

// store is Pebble with what this package needs around it. Methods may be called concurrently, but not after close.
type store struct {
	// Set by openStore, then read-only.
	db         *pebble.DB
	guard      *guard
	health     *health
	lock       *pebble.Lock
	seed       seed
	generation uint64
	run        uint64 // how often the store was opened

	// write makes batches enter Pebble one at a time and only while it is healthy: once a log write failed, Pebble
	// would panic at the next one.
	write sync.Mutex
	loose atomic.Bool // something was written that nothing has synced yet

	// Guarded by ids.
	ids     sync.Mutex
	nextID  uint64
	idLimit uint64
}

// openStore opens or creates the store in dir, which no other process may use meanwhile.
func openStore(dir string, fs vfs.FS, h *health, cacheBytes int64) (*store, error) {
	if err := makeFolder(fs, dir); err != nil {
		return nil, fmt.Errorf("create data folder %q: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		return nil, fmt.Errorf("lock data folder %q, which another process or engine may be using: %w", dir, err)
	}
	s := &store{guard: newGuard(fs, h), health: h, lock: lock}
	if s.db, err = openPebble(dir, pebbleOptions(s.guard, h, lock, cacheBytes)); err != nil {
		return nil, errors.Join(fmt.Errorf("open data folder %q: %w", dir, err), lock.Close())
	}
	s.guard.armed.Store(true)
	if err := s.begin(); err != nil {
		s.guard.release()
		return nil, errors.Join(fmt.Errorf("open data folder %q: %w", dir, err), s.db.Close(), lock.Close())
	}
	return s, nil
}

// makeFolder makes dir, if it does not exist, so that a crash of the machine does not take it away again: the folder
// that it is in has to be synced.
func makeFolder(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if err := makeFolder(fs, parent); err != nil {
		return err
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := fs.OpenDir(parent)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// openPebble makes an error of the panic with which Pebble answers a failure to sync the folder.
func openPebble(dir string, o *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("pebble: %v", r)
			if cause, ok := r.(error); ok {
				err = fmt.Errorf("pebble: %w", cause)
			}
		}
	}()
	return pebble.Open(dir, o)
}

// memTableBytes is where writes are moved from memory to a table. Half of it costs 15 % more CPU for each publish to 10,000
// channels; twice of it gains 4 %, and as much again on disk and in memory, for the log that goes with it.
const memTableBytes = 32 << 20

func pebbleOptions(g *guard, h *health, lock *pebble.Lock, cacheBytes int64) *pebble.Options {
	o := &pebble.Options{
		FS:                          g,
		Lock:                        lock,
		Logger:                      pebbleLogger{h},
		FormatMajorVersion:          pebble.FormatNewest,
		CacheSize:                   cacheBytes + 3*memTableBytes, // Pebble takes its memtables out of the cache
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       64,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                500,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if pebble.IsCorruptionError(err) { // Pebble would try the same compaction again and again
					h.fail(err)
				}
			},
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				h.log.Error("store is corrupt", "path", info.Path, "error", info.Details)
			},
		},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most lookups are of new channels and new idempotency ids
	}
	return o
}

// begin reads or creates the values of the store itself and marks it as not cleanly stopped.
func (s *store) begin() error {
	v, found, err := s.get(keyFormat)
	if err != nil {
		return err
	}
	if !found {
		return s.put(true, s.create)
	}
	if len(v) != 1 || v[0] != format {
		return fmt.Errorf("its format is %x, this program knows %d: it was written by a newer version", v, format)
	}
	return s.put(true, s.resume)
}

func (s *store) create(b *pebble.Batch) error {
	s.seed, s.nextID, s.idLimit = newSeed(), 1, 1
	return errors.Join(b.Set(keyFormat, []byte{format}, nil), b.Set(keySeed, s.seed[:], nil))
}

func (s *store) resume(b *pebble.Batch) error {
	v, _, err := s.get(keySeed)
	if err != nil {
		return err
	}
	if copy(s.seed[:], v) != len(s.seed) {
		return fmt.Errorf("%w: seed", errCorrupt)
	}
	generation, err1 := s.number(keyGeneration)
	nextID, err2 := s.number(keyNextID)
	run, err3 := s.number(keyRun)
	_, clean, err4 := s.get(keyClean)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	s.run = run + 1
	if err := b.Set(keyRun, binary.AppendUvarint(nil, s.run), nil); err != nil {
		return err
	}
	s.generation, s.nextID, s.idLimit = generation, max(1, nextID), max(1, nextID)
	if clean {
		return b.Delete(keyClean, nil)
	}
	s.generation++
	return b.Set(keyGeneration, binary.AppendUvarint(nil, s.generation), nil)
}

// number reads a varint; absent it is zero.
func (s *store) number(key []byte) (uint64, error) {
	v, found, err := s.get(key)
	if err != nil || !found {
		return 0, err
	}
	d := newDecoder(v)
	n := d.Uvarint()
	if !d.OK() {
		return 0, fmt.Errorf("%w: value of %q", errCorrupt, key)
	}
	return n, nil
}

// get returns a copy of the value of key.
func (s *store) get(key []byte) (value []byte, found bool, err error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read store: %w", err)
	}
	value = append([]byte(nil), v...)
	return value, true, closer.Close()
}

// apply writes a batch, and with sync waits until it is on disk. On an error it may be there or not, and the store is
// for reading only from then on.
func (s *store) apply(b *pebble.Batch, sync bool) error {
	if err := s.enter(b, sync); err != nil {
		return err
	}
	if sync {
		if err := b.SyncWait(); err != nil {
			s.health.fail(err)
		}
	} else {
		s.loose.Store(true)
	}
	return s.health.failure()
}

// enter hands b to Pebble, which writes it to the log in the order of the calls.
func (s *store) enter(b *pebble.Batch, sync bool) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.health.failure(); err != nil {
		return err
	}
	var err error
	if sync {
		err = s.db.ApplyNoSyncWait(b, pebble.Sync)
	} else {
		err = s.db.Apply(b, pebble.NoSync)
	}
	if err != nil {
		s.health.fail(err)
	}
	return err
}

// syncLoose makes durable what was written without waiting.
func (s *store) syncLoose() error {
	if !s.loose.Swap(false) {
		return nil
	}
	return s.put(true, func(b *pebble.Batch) error { return b.LogData(nil, nil) })
}

// forget deletes one key, in its own time.
func (s *store) forget(key []byte) error {
	return s.put(false, func(b *pebble.Batch) error { return b.Delete(key, nil) })
}

// put applies the batch that fill makes.
func (s *store) put(sync bool, fill func(*pebble.Batch) error) error {
	b := s.db.NewBatch()
	defer b.Close()
	if err := fill(b); err != nil {
		return err
	}
	return s.apply(b, sync)
}

// idLease is how many channel ids one write to the store sets aside; those that a stop leaves over are never given.
const idLease = 1 << 16

// newID returns a channel id that was never given before.
func (s *store) newID() (uint64, error) {
	s.ids.Lock()
	defer s.ids.Unlock()
	if s.nextID == s.idLimit {
		limit := s.idLimit + idLease
		err := s.put(true, func(b *pebble.Batch) error {
			return b.Set(keyNextID, binary.AppendUvarint(nil, limit), nil)
		})
		if err != nil {
			return 0, err
		}
		s.idLimit = limit
	}
	s.nextID++
	return s.nextID - 1, nil
}

// room reports the free bytes on the disk, or false if it cannot tell.
func (s *store) room(dir string) (uint64, bool) {
	u, err := s.guard.GetDiskUsage(dir)
	return u.AvailBytes, err == nil
}

// close stops the store, cleanly if it is healthy. Nothing may use it any more.
func (s *store) close() error {
	var err error
	if s.health.failure() == nil {
		err = s.put(true, func(b *pebble.Batch) error { return b.Set(keyClean, nil, nil) })
	}
	s.guard.release()
	err = errors.Join(err, s.db.Close(), s.lock.Close())
	if s.health.failure() != nil {
		return nil // it was reported when it happened
	}
	if err != nil {
		return fmt.Errorf("close store: %w: %w", engine.ErrUnavailable, err)
	}
	return nil
}
