package local

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"

	"github.com/earshot/earshot/engine"
)

// health says whether the store can commit. The zero value can. Methods may be called concurrently.
type health struct {
	log    *slog.Logger
	broken atomic.Pointer[error] // for good, until the process starts anew
	full   atomic.Bool           // less than the reserve is free
	tight  atomic.Bool           // background work found no room, and tries again
}

// failure returns the error that ended all writing, or nil.
func (h *health) failure() error {
	if err := h.broken.Load(); err != nil {
		return *err
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
	err := fmt.Errorf("%w until restarted: %w", kind, cause)
	if h.broken.CompareAndSwap(nil, &err) {
		h.log.Error("store failed: logs are read-only until the program is restarted", "error", cause)
	}
}

// set notes in one of the flags for a full disk whether it is, and logs the change.
func (h *health) set(flag *atomic.Bool, full bool) {
	if flag.Swap(full) == full {
		return
	}
	if full {
		h.log.Error("disk is full: publishes to logs are refused until there is room")
	} else {
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
