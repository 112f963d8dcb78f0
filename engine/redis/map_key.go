package redis

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// Key implements engine.Log.
func (e *Engine) Key(ctx context.Context, channel, key string) (*engine.Publication, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if e.options.Rules(channel).Kind != engine.KindMap {
		return nil, engine.ErrNoHistory
	}
	reply, err := e.exec(ctx, mapKeyScript, e.keys.channel(channel).ofMap(), []string{key, e.now()}).ToArray()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable("read key", err)
	}
	m, now, err := decodeKey(reply)
	if err != nil || m.Gone || m.expiresMS != 0 && m.expiresMS <= now {
		return nil, unavailable("read key", err)
	}
	return m.Publication, nil
}

func decodeKey(reply []rueidis.RedisMessage) (m mapEntry, now int64, err error) {
	if len(reply) != 3 {
		return m, 0, fmt.Errorf("%w: key of a map", errCorrupt)
	}
	text, err := reply[0].ToString()
	if err != nil {
		return m, 0, err
	}
	meta, err := decodeMeta([]byte(text))
	if err != nil {
		return m, 0, err
	}
	value, err := reply[1].ToString()
	if err != nil {
		return m, 0, err
	}
	if now, err = reply[2].AsInt64(); err != nil {
		return m, 0, err
	}
	m, err = decodeChange(meta.top.Epoch, []byte(value))
	return m, now, err
}
