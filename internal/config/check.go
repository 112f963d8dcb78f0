package config

import (
	"maps"
	"slices"
)

// check completes the namespaces and reports what no single value shows.
func check(cfg *Config, d *decoder) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Namespaces)) {
		ns := cfg.Namespaces[name]
		key := join("namespaces", name)
		if ns.Kind == KindLog {
			if ns.History == (History{}) {
				ns.History = DefaultHistory
			}
			cfg.Namespaces[name] = ns
			continue
		}
		for _, setting := range logSettings(ns) {
			full := join(key, setting)
			d.problems.add(&Error{Where: d.at[full], Key: full, Reason: "is for logs; add `kind: log` to the namespace or remove it"})
		}
	}
}

// logSettings names what ns sets that only a log has.
func logSettings(ns Namespace) (settings []string) {
	if ns.History != (History{}) {
		settings = append(settings, "history")
	}
	if ns.Durability != Fsync {
		settings = append(settings, "durability")
	}
	if ns.ReadHistory != Nobody {
		settings = append(settings, "read_history")
	}
	return settings
}
