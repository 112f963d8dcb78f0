// Package local is the embedded engine: it keeps its data in a folder on disk, in Pebble, and serves one node.
//
// DESIGN.md says how it works and what it relies on.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// Options say where an engine keeps its data and how much it may take. Only Dir must be set.
type Options struct {
	Dir    string                            // the data folder; made if it does not exist. One engine at a time may use it
	FS     vfs.FS                            // the file system that Dir is in; nil: the disk
	Rules  func(channel string) engine.Rules // called for each operation, concurrently; nil: nothing is kept
	Logger *slog.Logger                      // nil: slog.Default
	Now    func() time.Time                  // for tests; nil: time.Now

	// ReserveBytes of the disk are left free: with less, publishes to logs fail with engine.ErrDiskFull until there is
	// room. Zero: 256 MB. Negative: none, and a full disk ends all writing until a restart.
	ReserveBytes int64
	// CacheBytes bound the memory for channels used last, and as much again for blocks of the store. Zero: 32 MB.
	CacheBytes int
	// KeyBytes bound the idempotency ids of logs, on disk. Zero: 256 MB, enough for 2.5 million.
	KeyBytes int64
	// LiveKeyBytes bound the idempotency ids of unretained channels, in memory. Zero: 16 MB.
	LiveKeyBytes int64
}

func (o *Options) setDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Rules == nil {
		o.Rules = func(string) engine.Rules { return engine.Rules{} }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.ReserveBytes = orDefault(o.ReserveBytes, 256<<20)
	o.CacheBytes = orDefault(o.CacheBytes, 32<<20)
	o.KeyBytes = orDefault(o.KeyBytes, 256<<20)
	o.LiveKeyBytes = orDefault(o.LiveKeyBytes, 16<<20)
}

func orDefault[T int | int64](v, byDefault T) T {
	if v == 0 {
		return byDefault
	}
	return v
}

// Engine implements engine.Engine.
type Engine struct {
	// Set by Open, then read-only.
	options  Options
	log      *slog.Logger
	store    *store
	table    *table
	keys     *storedKeys
	liveKeys *liveKeys
	lanes    [3]*lane // by engine.Durability
	purges   purgeList

	feed   engine.Feed // set by Run before the lanes start
	floors sync.Mutex  // held from reading to writing where a log starts, so that it never goes back

	// Owned by upkeep: whether all keys of earlier runs have been looked for, and if not, where in the index to go on.
	disowned   bool
	disownFrom []byte

	closing   chan struct{} // closed when no proposal is accepted any more
	closeOnce sync.Once
	ran       chan struct{} // closed when Run returned

	// use is held for reading by whoever uses the store, and for writing to close it.
	use    sync.RWMutex
	closed bool // guarded by use

	start   sync.Mutex
	started bool // guarded by start
}

var _ engine.Engine = (*Engine)(nil)

// Open opens or creates the data folder. History and Subscribe work from then on; publishes wait for Run. The caller
// must Close the engine.
func Open(o Options) (*Engine, error) {
	if o.Dir == "" {
		return nil, errors.New("open engine: no data folder is named")
	}
	o.setDefaults()
	h := &health{log: o.Logger}
	s, err := openStore(o.Dir, o.FS, h, int64(o.CacheBytes))
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, log: o.Logger, store: s, table: newTable(o.CacheBytes),
		liveKeys: &liveKeys{segments: segments{log: o.Logger, maxBytes: o.LiveKeyBytes}},
		purges:   purgeList{work: make(chan struct{}, 1)},
		closing:  make(chan struct{}), ran: make(chan struct{}),
	}
	if e.keys, err = loadKeys(s, o.KeyBytes, o.Logger); err != nil {
		return nil, errors.Join(fmt.Errorf("open data folder %q: %w", o.Dir, err), s.close())
	}
	for d := range e.lanes {
		e.lanes[d] = newLane(e.committer(engine.Durability(d)))
	}
	return e, nil
}

func (e *Engine) committer(d engine.Durability) func([]proposal) {
	if d == engine.DurabilityNone {
		return (&liveCommitter{engine: e}).commit
	}
	return (&committer{engine: e, durability: d}).commit
}

func (e *Engine) nowMS() int64 { return e.options.Now().UnixMilli() }

// Run implements engine.Engine. It returns nil after Close, and the error of ctx if that ended first; then, too,
// everything that was accepted has been committed or refused.
func (e *Engine) Run(ctx context.Context, feed engine.Feed) error {
	e.start.Lock()
	if e.started {
		e.start.Unlock()
		return errors.New("run engine: it was run or closed before")
	}
	e.started, e.feed = true, feed
	e.start.Unlock()
	defer close(e.ran)

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var upkeep, lanes sync.WaitGroup
	upkeep.Go(func() { e.upkeep(background) })
	for _, l := range e.lanes {
		lanes.Go(l.run)
	}
	var err error
	select {
	case <-e.closing:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.refuse()
	lanes.Wait()
	stop()
	upkeep.Wait()
	return err
}

// refuse makes the lanes accept nothing more.
func (e *Engine) refuse() {
	e.closeOnce.Do(func() { close(e.closing) })
	for _, l := range e.lanes {
		l.close()
	}
}

// Close implements engine.Engine. If ctx ends before the rest is committed it returns that error; Close can be called
// again to go on waiting.
func (e *Engine) Close(ctx context.Context) error {
	e.refuse()
	e.start.Lock()
	if !e.started { // nobody will ever commit what waits
		e.started = true
		close(e.ran)
		for _, l := range e.lanes {
			l.abandon()
		}
	}
	e.start.Unlock()
	select {
	case <-e.ran:
	case <-ctx.Done():
		return fmt.Errorf("close engine: %w", ctx.Err())
	}
	e.use.Lock()
	defer e.use.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	return e.store.close()
}

// enter must succeed before the store is used, and leave be called afterwards.
func (e *Engine) enter() error {
	e.use.RLock()
	if e.closed {
		e.use.RUnlock()
		return engine.ErrClosed
	}
	return nil
}

func (e *Engine) leave() { e.use.RUnlock() }

// Stats are what an operator wants to know of an engine.
type Stats struct {
	KeyWindowsShortened uint64 // times that idempotency keys were forgotten early, because of their bound
	ChannelsInMemory    int
}

// Stats returns the figures of this moment.
func (e *Engine) Stats() Stats {
	return Stats{
		KeyWindowsShortened: e.keys.shortenedCount() + e.liveKeys.shortenedCount(),
		ChannelsInMemory:    e.table.len(),
	}
}
