package config

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// InsecureOpen lets everyone connect and adds three ready namespaces: "log", retained, and "live", which keeps nothing,
// where everyone may do everything; and "map", whose name is taken for maps and where nothing is allowed as yet. It is for
// trying things out: whoever reaches the server can read and write it all.
//
// It fails if cfg already has one of them.
func InsecureOpen(cfg *Config) error {
	open := Namespace{Subscribe: Anyone, Publish: Anyone}
	log := open
	log.Kind, log.ReadHistory = KindLog, Anyone
	log.History = History{Size: 100_000, Age: 24 * time.Hour}
	ready := map[string]Namespace{"log": log, "live": open, "map": {}}
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
