package config

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// InsecureOpen lets everyone connect and do everything in three ready namespaces: "log", retained, "live", which keeps
// nothing, and "map". It is for trying things out: whoever reaches the server can read and write it all.
//
// It fails if cfg already has one of them.
func InsecureOpen(cfg *Config) error {
	live := Namespace{Subscribe: Anyone, Publish: Anyone, Presence: Anyone}
	log := live
	log.Kind, log.ReadHistory = KindLog, Anyone
	log.History = History{Size: 100_000, Age: 24 * time.Hour}
	keyed := live
	keyed.Kind, keyed.ReadHistory = KindMap, Anyone
	ready := map[string]Namespace{"log": log, "live": live, "map": keyed}
	for _, name := range slices.Sorted(maps.Keys(ready)) {
		if _, taken := cfg.Namespaces[name]; taken {
			return fmt.Errorf("the configuration has a namespace %q, which --insecure-open also defines; rename it or leave the flag out", name)
		}
	}
	if cfg.Namespaces == nil {
		cfg.Namespaces = make(map[string]Namespace)
	}
	maps.Copy(cfg.Namespaces, ready)
	cfg.AllowAnonymous = true
	return nil
}
