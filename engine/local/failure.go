package local

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/earshot/earshot/engine"
)

// Fault implements engine.Engine.
func (e *Engine) Fault() *engine.Fault { return e.store.health.fault() }

// health says whether the store can commit. The zero value can. Methods may be called concurrently.
type health struct {
	log    *slog.Logger
	broken atomic.Pointer[engine.Fault] // for good, until the process starts anew
	full   atomic.Bool                  // less than the reserve is free
	tight  atomic.Bool                  // background work found no room, and tries again
	since  atomic.Int64                 // when one of these two was set, Unix milliseconds; zero: neither is
}

// failure returns the error that ended all writing, or nil.
func (h *health) failure() error {
	if f := h.broken.Load(); f != nil {
		return f.Err
	}
	return nil
}

// fault is refusal with its time.
func (h *health) fault() *engine.Fault {
	if f := h.broken.Load(); f != nil {
		return f
	}
	if ms := h.since.Load(); ms != 0 && h.refusal() != nil {
		return &engine.Fault{Since: time.UnixMilli(ms), Err: engine.ErrDiskFull}
	}
	return nil
}

// refusal returns the error that a publish would be answered with now, or nil.
func (h *health) refusal() error {
	if err := h.failure(); err != nil {
		return err
	}
	if h.full.Load() || h.tight.Load() {
		return engine.ErrDiskFull
	}
	return nil
}

// fail ends all writing. What is on disk stays as it is, and reads go on. Only the first cause counts.
func (h *health) fail(cause error) {
	kind := engine.ErrUnavailable
	if isDiskFull(cause) {
		kind = engine.ErrDiskFull
	}
	f := &engine.Fault{Since: time.Now(), Final: true, Err: fmt.Errorf("%w until restarted: %w", kind, cause)}
	if h.broken.CompareAndSwap(nil, f) {
		h.log.Error("store failed: logs are read-only until the program is restarted", "error", cause)
	}
}

// set notes in one of the flags for a full disk whether it is, and logs the change.
func (h *health) set(flag *atomic.Bool, full bool) {
	if flag.Swap(full) == full {
		return
	}
	if full {
		h.since.CompareAndSwap(0, time.Now().UnixMilli())
		h.log.Error("disk is full: publishes to logs are refused until there is room")
	} else {
		if !h.full.Load() && !h.tight.Load() {
			h.since.Store(0)
		}
		h.log.Info("disk has room again")
	}
}

func isDiskFull(err error) bool {
	return errors.Is(err, engine.ErrDiskFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// pebbleLogger passes Pebble's log on. Pebble calls Fatalf where it would end the process, and does go on if that
// returns, so all that follows a failure must be harmless: see guard.
type pebbleLogger struct{ health *health }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.health.log.Debug("pebble", "text", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.health.log.Warn("pebble", "text", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.health.fail(fmt.Errorf(format, args...))
}
