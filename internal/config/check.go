package config

import (
	"maps"
	"slices"
)

// check completes the namespaces and reports what no single value shows.
func check(cfg *Config, d *decoder) {
	d.checkIssuers(cfg.Tokens)
	d.checkTLS(cfg.TLS)
	for _, name := range slices.Sorted(maps.Keys(cfg.Namespaces)) {
		ns := cfg.Namespaces[name]
		if keepsLog(ns.Kind) && ns.History == (History{}) {
			ns.History = DefaultHistory
			cfg.Namespaces[name] = ns
		}
		key := join("namespaces", name)
		if reason, taken := reserved[name]; taken {
			d.refuse(key, reason)
		}
		for _, s := range settings {
			if !slices.Contains(s.kinds, ns.Kind) {
				d.refuse(join(key, s.name), s.reason)
			}
		}
		d.checkCursors(ns, join(key, "read_cursors"))
		d.checkOwners(ns, name, key)
		if cfg.Engine != "" {
			d.refuse(join(key, "durability"), "has no effect on Redis, whose own settings say what is kept; remove it, or `engine`")
		}
	}
}

// checkTLS wants both files, or none.
func (d *decoder) checkTLS(t TLS) {
	if (t.CertificateFile == "") != (t.KeyFile == "") {
		d.problems.add(&Error{Where: d.at["tls"], Key: "tls", Reason: "needs both `certificate_file` and `key_file`"})
	}
}

func keepsLog(k Kind) bool { return k == KindLog || k == KindInbox }

// refuse reports key, if the file has it.
func (d *decoder) refuse(key, reason string) {
	if at, there := d.at[key]; there {
		d.problems.add(&Error{Where: at, Key: key, Reason: reason})
	}
}

func (d *decoder) checkCursors(ns Namespace, key string) {
	switch {
	case ns.ReadCursors > Users:
		d.refuse(key, "cannot be `"+ns.ReadCursors.String()+"`, because a cursor is kept for a user; write `users`")
	case ns.Kind == KindInbox && ns.ReadCursors == Nobody:
		d.refuse(key, "cannot be `nobody`: an inbox always has read cursors, which only its user sees; remove it")
	}
}

// reserved are the namespaces of maps that belong to other channels.
var reserved = map[string]string{
	"presence": "is the server's own; set `presence` of another namespace",
	"revoked":  "is the server's own: it keeps who was revoked",
	"read":     "is the server's own; set `read_cursors` of another namespace",
}

// What is wrong with a setting in a namespace of a kind that does not have it.
const (
	forLogs     = "is for logs; add `kind: log` to the namespace or remove it"
	forMaps     = "is for maps; add `kind: map` to the namespace or remove it"
	forKept     = "is for logs and maps; add `kind: log` or `kind: map` to the namespace or remove it"
	notForInbox = "is not for inboxes: each belongs to one user, and nobody else may use it; remove it"
)

// settings are those that not every kind of namespace has.
var settings = []struct {
	name   string
	kinds  []Kind
	reason string
}{
	{"history", []Kind{KindLog, KindInbox}, forLogs},
	{"durability", []Kind{KindLog, KindInbox, KindMap}, forKept},
	{"read_history", []Kind{KindLog, KindInbox, KindMap}, forKept},
	{"read_history", []Kind{KindPub, KindLog, KindMap}, notForInbox},
	{"subscribe", []Kind{KindPub, KindLog, KindMap}, notForInbox},
	{"presence", []Kind{KindPub, KindLog, KindMap}, notForInbox},
	{"owners", []Kind{KindPub, KindLog, KindMap}, notForInbox},
	{"read_cursors", []Kind{KindLog, KindInbox}, forLogs},
	{"max_keys", []Kind{KindMap}, forMaps},
	{"max_value", []Kind{KindMap}, forMaps},
}
