package config

import (
	"maps"
	"slices"
)

// check completes the namespaces and reports what no single value shows.
func check(cfg *Config, d *decoder) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Namespaces)) {
		ns := cfg.Namespaces[name]
		if ns.Kind == KindLog && ns.History == (History{}) {
			ns.History = DefaultHistory
			cfg.Namespaces[name] = ns
		}
		if name == presenceNamespace {
			full := join("namespaces", name)
			d.problems.add(&Error{Where: d.at[full], Key: full, Reason: "is the server's own; set `presence` of another namespace"})
		}
		for _, s := range settings(ns) {
			if !s.set || slices.Contains(s.kinds, ns.Kind) {
				continue
			}
			full := join(join("namespaces", name), s.name)
			d.problems.add(&Error{Where: d.at[full], Key: full, Reason: s.reason})
		}
	}
}

// presenceNamespace is the namespace of the maps that say who is in a channel.
const presenceNamespace = "presence"

// setting is one that not every kind of namespace has.
type setting struct {
	name   string
	set    bool
	kinds  []Kind
	reason string
}

func settings(ns Namespace) []setting {
	const (
		forLogs = "is for logs; add `kind: log` to the namespace or remove it"
		forMaps = "is for maps; add `kind: map` to the namespace or remove it"
		forKept = "is for logs and maps; add `kind: log` or `kind: map` to the namespace or remove it"
	)
	return []setting{
		{"history", ns.History != (History{}), []Kind{KindLog}, forLogs},
		{"durability", ns.Durability != Fsync, []Kind{KindLog, KindMap}, forKept},
		{"read_history", ns.ReadHistory != Nobody, []Kind{KindLog, KindMap}, forKept},
		{"max_keys", ns.MaxKeys != 0, []Kind{KindMap}, forMaps},
	}
}
