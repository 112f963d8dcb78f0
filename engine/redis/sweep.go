package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/earshot/earshot/engine"
)

const (
	sweepEvery = time.Second
	// sweepLock is for how long the node that swept last goes on to be the one that does.
	sweepLock = 5 * time.Second
	// sweepAtOnce is how many maps, and how many keys of one, are looked at in one round.
	sweepAtOnce = 100
	// scheduleSlack is how long after its last change a map without keys that expire is looked at again.
	scheduleSlack = 10 * time.Second
)

// sweep deletes, until ctx ends, keys that expired or whose owners went with their node. One node at a time does it; if two
// did, nothing would be deleted twice.
func (e *Engine) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		err := e.sweepOnce(ctx)
		if err != nil && ctx.Err() == nil {
			e.options.Logger.Warn("cannot sweep maps", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (e *Engine) sweepOnce(ctx context.Context) error {
	args := []string{e.nodes.run(), milliseconds(sweepLock)}
	mine, err := e.exec(ctx, lockScript, []string{e.keys.sweeper()}, args).AsBool()
	if err != nil || !mine {
		return err
	}
	if err := e.sweepRuns(ctx); err != nil {
		return err
	}
	return e.sweepSchedule(ctx)
}

// sweepRuns deletes the keys of runs that have ended.
func (e *Engine) sweepRuns(ctx context.Context) error {
	ended, err := e.nodes.leases(ctx, false)
	if err != nil {
		return err
	}
	for _, node := range ended {
		if err := e.sweepRun(ctx, node.ID); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) sweepRun(ctx context.Context, run string) error {
	channels, err := e.client.Do(ctx, e.client.B().Smembers().Key(e.keys.owned(run)).Build()).AsStrSlice()
	if err != nil {
		return err
	}
	for _, channel := range channels {
		for more := true; more; {
			d, err := e.due(ctx, channel, run)
			if err != nil {
				return err
			}
			if err := e.deleteDue(ctx, channel, run, d.keys); err != nil {
				return err
			}
			more = len(d.keys) == sweepAtOnce
		}
	}
	b := e.client.B
	for _, r := range e.client.DoMulti(ctx,
		b().Del().Key(e.keys.owned(run)).Build(),
		b().Hdel().Key(e.keys.infos()).Field(run).Build(),
		b().Zrem().Key(e.keys.leases()).Member(run).Build(),
	) {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}

// sweepSchedule looks at the maps whose time has come.
func (e *Engine) sweepSchedule(ctx context.Context) error {
	keys := []string{e.keys.schedule()}
	channels, err := e.exec(ctx, scheduledScript, keys, []string{e.now(), strconv.Itoa(sweepAtOnce)}).AsStrSlice()
	if err != nil {
		return err
	}
	for _, channel := range channels {
		d, err := e.due(ctx, channel, "")
		if err != nil {
			return err
		}
		if err := e.deleteDue(ctx, channel, "", d.keys); err != nil {
			return err
		}
		args := []string{channel, d.next, d.changed, milliseconds(scheduleSlack), e.now()}
		if len(d.keys) == sweepAtOnce {
			args[1] = "0" // at once
		}
		if err := e.exec(ctx, rescheduleScript, keys, args).Error(); err != nil {
			return err
		}
	}
	return nil
}

// dueKeys are keys of a map that are to be deleted.
type dueKeys struct {
	next    string // when the next key expires, or empty
	changed string // when the map changed last
	keys    []dueKey
}

type dueKey struct {
	key     string
	version uint64
}

// due asks for the keys of a map that have expired, or that belong to a run.
func (e *Engine) due(ctx context.Context, channel, run string) (d dueKeys, err error) {
	args := []string{e.now(), run, strconv.Itoa(sweepAtOnce)}
	list, err := e.exec(ctx, mapDueScript, e.keys.channel(channel).ofMap(), args).AsStrSlice()
	if err != nil {
		return d, err
	}
	if len(list) < 2 {
		return d, errCorrupt
	}
	d.next, d.changed = list[0], list[1]
	for i := 2; i+1 < len(list); i += 2 {
		version, err := strconv.ParseUint(list[i+1], 10, 64)
		if err != nil {
			return d, errCorrupt
		}
		d.keys = append(d.keys, dueKey{list[i], version})
	}
	return d, nil
}

// deleteDue has the keys deleted like any other change, if they are still as they were found, and waits for it.
func (e *Engine) deleteDue(ctx context.Context, channel, run string, keys []dueKey) error {
	if len(keys) == 0 {
		return nil
	}
	outcomes := make(chan error, len(keys))
	for _, k := range keys {
		p := engine.Proposal{Channel: channel, Map: &engine.MapChange{Key: k.key, Delete: true}}
		q := e.prepare(p, engine.Rules{Kind: engine.KindMap}, func(_ engine.Receipt, err error) { outcomes <- err })
		q.change.tends, q.change.run = k.version, run
		if err := e.outbox.push(ctx, q); err != nil {
			return err
		}
	}
	for range keys {
		if err := <-outcomes; err != nil {
			return err
		}
	}
	return nil
}
