package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// mapPage reads the latest changes of a map's keys, in the order of versions.
func (e *Engine) mapPage(ctx context.Context, channel string, rules engine.Rules, q engine.Query) (engine.Page, error) {
	since := "0"
	if q.Since != nil {
		since = offsetArg(q.Since.Offset)
	}
	scan, err := e.scanMap(ctx, channel, rules, since, max(1, q.Limit), max(0, q.MaxBytes))
	if err != nil {
		return engine.Page{}, err
	}
	page, ok := scan.begin(q.Since)
	if !ok {
		return page, nil
	}
	dead, err := e.nodes.deadRuns(ctx, scan.runs())
	if err != nil {
		return engine.Page{}, err
	}
	for _, m := range scan.entries {
		if page.More = scan.more; page.More {
			page.End = m.Position
		}
		if scan.shows(m, page.Start.Offset == 0, dead) {
			page.Publications = append(page.Publications, m.Publication)
		}
	}
	return page, nil
}

// mapScan is what was read of a map, from a version on.
type mapScan struct {
	meta
	keys    int
	now     int64
	tag     string // of the version before the first; empty if that was too long ago, or there is none
	more    bool
	entries []mapEntry
}

// scanMap reads a map. One that was never used is begun, so that readers have a position to go on from.
func (e *Engine) scanMap(ctx context.Context, channel string, rules engine.Rules, since string, limit, maxBytes int) (mapScan, error) {
	args := []string{since, strconv.Itoa(limit), strconv.Itoa(maxBytes), e.now()}
	reply, err := e.exec(ctx, mapReadScript, e.keys.channel(channel).ofMap(), args).ToArray()
	if rueidis.IsRedisNil(err) {
		m, err := e.openChannel(ctx, channel, rules)
		return mapScan{meta: m}, err
	}
	if err != nil {
		return mapScan{}, err
	}
	return decodeScan(reply)
}

func decodeScan(reply []rueidis.RedisMessage) (s mapScan, err error) {
	if len(reply) < 5 {
		return s, fmt.Errorf("%w: page of a map", errCorrupt)
	}
	value, err := reply[0].AsBytes()
	if err != nil {
		return s, err
	}
	if s.meta, err = decodeMeta(value); err != nil {
		return s, err
	}
	keys, _ := reply[1].AsInt64()
	s.keys = int(keys)
	s.now, _ = reply[2].AsInt64()
	s.tag, _ = reply[3].ToString()
	s.more, _ = reply[4].AsBool()
	for _, r := range reply[5:] {
		if value, err = r.AsBytes(); err != nil {
			return s, err
		}
		m, err := decodeChange(s.top.Epoch, value)
		if err != nil {
			return s, err
		}
		s.entries = append(s.entries, m)
	}
	return s, nil
}

// begin returns the page without publications, and false if that is the answer.
func (s *mapScan) begin(since *engine.Position) (engine.Page, bool) {
	page := engine.Page{Top: s.top, End: s.top, Start: engine.Position{Epoch: s.top.Epoch}, Complete: true, Keys: s.keys}
	w := window{meta: s.meta}
	switch {
	case since == nil:
	case w.foreign(since):
		page.Complete = false
	case since.Offset == 0:
	case since.Offset < s.first, s.tag == "" && since.Offset < s.top.Offset:
		page.Complete, page.Evicted = false, true
	case s.tag != "" && s.tag != strconv.FormatUint(uint64(since.Tag), 10):
		page.Complete = false
	default:
		page.Start = *since
	}
	return page, page.Complete
}

// runs returns the runs of the nodes whose sessions own keys of the page.
func (s *mapScan) runs() (runs []string) {
	for _, m := range s.entries {
		if m.run != "" {
			runs = append(runs, m.run)
		}
	}
	return runs
}

// shows reports whether a reader is told of m: not of a key that expired, or whose owner went with its node, though that
// was not committed yet; and if it knows nothing so far, not of one that was deleted.
func (s *mapScan) shows(m mapEntry, fresh bool, dead map[string]bool) bool {
	expired := m.expiresMS != 0 && m.expiresMS <= s.now
	return !expired && !dead[m.run] && !(m.Gone && fresh)
}
