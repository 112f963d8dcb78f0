package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// History implements engine.Log.
func (e *Engine) History(ctx context.Context, channel string, q engine.Query) (engine.Page, error) {
	if err := e.enter(); err != nil {
		return engine.Page{}, err
	}
	defer e.leave()
	rules := e.options.Rules(channel)
	if rules.Kind == engine.KindPub {
		return engine.Page{}, engine.ErrNoHistory
	}
	read := e.page
	if rules.Kind == engine.KindMap {
		if q.Before != nil {
			return engine.Page{}, engine.ErrBadPosition
		}
		read = e.mapPage
	}
	page, err := read(ctx, channel, rules, q)
	return page, unavailable("read history", err)
}

// page reads a page of a log. A log that was never used is begun, so that readers have a position to go on from.
func (e *Engine) page(ctx context.Context, channel string, rules engine.Rules, q engine.Query) (engine.Page, error) {
	names := e.keys.channel(channel)
	args := append(readMode(q), strconv.Itoa(max(1, q.Limit)+named(q.Before)), strconv.Itoa(max(0, q.MaxBytes)), e.now(), milliseconds(rules.MaxAge))
	reply, err := e.exec(ctx, readScript, []string{names.meta, names.entries}, args).ToArray()
	if rueidis.IsRedisNil(err) {
		m, err := e.openChannel(ctx, channel, rules)
		return (&window{meta: m, query: q}).page(nil), err
	}
	if err != nil {
		return engine.Page{}, err
	}
	w, values, err := decodePage(reply, q)
	if err != nil {
		return engine.Page{}, err
	}
	return w.read(values)
}

// readMode returns the part of the log that the read script is asked for.
func readMode(q engine.Query) []string {
	switch {
	case q.Since != nil:
		return []string{"since", offsetArg(q.Since.Offset)}
	case q.Before != nil:
		return []string{"before", offsetArg(q.Before.Offset)}
	case q.Last > 0:
		return []string{"last", strconv.Itoa(q.Last)}
	}
	return []string{"newest", "0"}
}

// offsetArg returns an offset as the scripts take it; what no double can hold exactly is beyond every log.
func offsetArg(offset uint64) string { return strconv.FormatUint(min(offset, 1<<53-1), 10) }

// named is 1 if p is set: a page before a position is read with the entry there, for its tag.
func named(p *engine.Position) int {
	if p == nil {
		return 0
	}
	return 1
}

// openChannel returns the channel's meta, begun if there is none.
func (e *Engine) openChannel(ctx context.Context, channel string, rules engine.Rules) (meta, error) {
	names := e.keys.channel(channel)
	ttl := emptyTTL
	if rules.Kind == engine.KindPub {
		ttl = liveTTL
	}
	args := []string{newEpoch(), milliseconds(ttl), flag(rules.Kind != engine.KindPub)}
	value, err := e.exec(ctx, openScript, []string{names.meta, names.entries}, args).AsBytes()
	if err != nil {
		return meta{}, err
	}
	return decodeMeta(value)
}

// decodePage reads what the read script returned.
func decodePage(reply []rueidis.RedisMessage, q engine.Query) (window, []rueidis.RedisMessage, error) {
	if len(reply) < 3 {
		return window{}, nil, fmt.Errorf("%w: page", errCorrupt)
	}
	value, err := reply[0].AsBytes()
	if err != nil {
		return window{}, nil, err
	}
	m, err := decodeMeta(value)
	if err != nil {
		return window{}, nil, err
	}
	first, err := reply[1].AsInt64()
	if err != nil {
		return window{}, nil, err
	}
	from, err := reply[2].AsInt64()
	m.first = uint64(first)
	return window{meta: m, query: q, from: uint64(from)}, reply[3:], err
}
