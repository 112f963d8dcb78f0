package redis

import (
	"context"
	"strconv"

	"github.com/earshot/earshot/engine"
)

// Trim implements engine.Log.
func (e *Engine) Trim(ctx context.Context, channel string, p engine.Position) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	rules := e.options.Rules(channel)
	if rules.Kind != engine.KindLog {
		return engine.ErrNoHistory
	}
	if p.Offset >= 1<<53 {
		return engine.ErrBadPosition
	}
	names := e.keys.channel(channel)
	args := []string{epochArg(p.Epoch), offsetArg(p.Offset), strconv.FormatUint(uint64(p.Tag), 10), milliseconds(metaTTL(rules))}
	found, err := e.exec(ctx, trimScript, []string{names.meta, names.entries}, args).AsBool()
	if err == nil && !found {
		return engine.ErrBadPosition
	}
	return unavailable("trim", err)
}
