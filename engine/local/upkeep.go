package local

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// How often the work of upkeep comes round.
const (
	upkeepInterval = 100 * time.Millisecond // also bounds what a crash takes of a log that does not wait for the disk
	sweepEvery     = 10                     // in upkeep intervals
	sweepChannels  = 200                    // looked at in one sweep
)

// upkeep does in the background what no publisher or reader should wait for.
func (e *Engine) upkeep(ctx context.Context) {
	ticker := time.NewTicker(upkeepInterval)
	defer ticker.Stop()
	var sweep sweeper
	for turn := 1; ; {
		select {
		case <-ctx.Done():
			return
		case <-e.purges.work:
			e.purge(ctx)
		case <-ticker.C:
			e.tick(ctx)
			if turn++; turn%sweepEvery == 0 {
				sweep.step(ctx, e)
			}
		}
	}
}

func (e *Engine) tick(ctx context.Context) {
	e.checkRoom()
	now := e.nowMS()
	e.liveKeys.expire(now)
	if e.store.health.failure() != nil {
		return
	}
	if err := e.store.syncLoose(); err != nil {
		e.log.Warn("cannot sync the store", "error", err)
	}
	if err := e.keys.expire(now); err != nil {
		e.log.Warn("cannot forget old idempotency ids", "error", err)
	}
	if err := e.expireKeys(ctx, now); err != nil {
		e.log.Warn("cannot delete keys of maps", "error", err)
	}
}

// checkRoom notes whether the disk has its reserve. To begin again, an eighth more must be free.
func (e *Engine) checkRoom() {
	reserve := uint64(max(0, e.options.ReserveBytes))
	free, known := e.store.room(e.options.Dir)
	h := e.store.health
	switch {
	case !known || reserve == 0:
		return
	case free < reserve:
		h.set(&h.full, true)
	case h.full.Load() && free >= reserve+reserve/8:
		h.set(&h.full, false)
	}
}

// sweeper goes round all logs of the store, some at a time, and deletes what is past its age in those that nobody reads,
// and the few dropped entries that were left in those that nobody writes to any more.
type sweeper struct{ after string }

func (s *sweeper) step(ctx context.Context, e *Engine) {
	names, err := e.store.channelsAfter(s.after, sweepChannels)
	if err != nil {
		e.log.Warn("cannot look for old publications", "error", err)
		return
	}
	s.after = ""
	if len(names) == sweepChannels {
		s.after = names[len(names)-1]
	}
	for _, name := range names {
		switch e.options.Rules(name).Kind {
		case engine.KindLog:
			e.sweepChannel(name)
		case engine.KindMap:
			e.sweepMap(ctx, name)
		}
	}
}

func (e *Engine) sweepChannel(name string) {
	ch, rules, leave, err := e.openLog(name)
	if err == nil {
		defer leave()
		err = errors.Join(e.expire(ch, rules), e.lookUpPurged(ch))
	}
	if err != nil {
		e.log.Warn("cannot drop old publications", "channel", name, "error", err)
		return
	}
	e.requestPurge(ch)
}

// channelsAfter returns the names of up to n channels that sort after name.
func (s *store) channelsAfter(name string, n int) (names []string, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: append(channelKey(name), 0),
		UpperBound: []byte{prefixChannel + 1},
	})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok && len(names) < n; ok = it.Next() {
		names = append(names, string(it.Key()[1:]))
	}
	return names, it.Error()
}
