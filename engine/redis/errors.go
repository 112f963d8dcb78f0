package redis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// errWrongKind is the error of a change of a map in another channel, or of a message without one in a map.
var errWrongKind = errors.New("a channel takes either messages or changes of a map")

// unavailable wraps an error of Redis, or of the way to it, in the engine's error for it; nil stays nil.
func unavailable(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errCorrupt):
		return fmt.Errorf("%s: %w", doing, err)
	case outOfMemory(err):
		return fmt.Errorf("%w: %s: %w", engine.ErrDiskFull, doing, err)
	}
	// The rest may pass: no connection, or one to a master that is no more, which the client closed; a timeout, READONLY, LOADING,
	// MASTERDOWN, CLUSTERDOWN, MISCONF, NOREPLICAS and more.
	return fmt.Errorf("%w: %s: %w", engine.ErrUnavailable, doing, err)
}

// outOfMemory reports whether Redis is at its maxmemory and may not evict.
func outOfMemory(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(e.Error(), "OOM ")
}
