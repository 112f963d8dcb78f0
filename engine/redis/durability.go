package redis

import (
	"context"
	"sync/atomic"

	"github.com/earshot/earshot/engine"
)

// durability is what Redis does with what it has committed.
type durability struct {
	known atomic.Uint32 // an engine.Durability
}

func (e *Engine) durabilityOf(r engine.Rules) engine.Durability {
	if r.Kind == engine.KindPub {
		return engine.DurabilityNone
	}
	return engine.Durability(e.durability.known.Load())
}

// read asks Redis for its settings. Where it may not, the durability is not known.
func (d *durability) read(ctx context.Context, e *Engine) {
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	settings, err := e.client.Do(ctx, e.client.B().ConfigGet().Parameter("appendonly", "appendfsync").Build()).AsStrMap()
	if err != nil {
		settings = nil
	}
	d.known.Store(uint32(durabilityFrom(settings)))
}

func durabilityFrom(settings map[string]string) engine.Durability {
	switch settings["appendonly"] {
	case "no":
		return engine.DurabilityRedisMemory
	case "yes":
		switch settings["appendfsync"] {
		case "always":
			return engine.DurabilityRedisAlways
		case "everysec":
			return engine.DurabilityRedisEverySecond
		case "no":
			return engine.DurabilityRedisNoSync
		}
	}
	return engine.DurabilityRedisUnknown
}
