package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Each bad file must be refused with a message that has all of want: the place first.
var badFiles = []struct {
	name, text, want string
}{
	{"unknown key", "adress: :1", `f:1:1: unknown key "adress"; did you mean "addr"?`},
	{"unknown key, one letter out", "namspace: 1", `f:1:1: unknown key "namspace"; did you mean "namespaces"?`},
	{"unknown namespace key", "namespaces:\n  a:\n    publsh: users", `f:3:5: namespaces.a: unknown key "publsh"; did you mean "publish"?`},
	{"unknown history key", "namespaces: {a: {kind: log, history: {sise: 1}}}", `f:1:39: namespaces.a.history: unknown key "sise"; did you mean "size"?`},
	{"key twice", "addr: :1\naddr: :2", "f:2:1: mapping key \"addr\" already defined"},
	{"syntax", "addr: [", "f:1:7: "},
	{"tab", "namespaces:\n\ta: {}", "f:2:1: "},
	{"two documents", "addr: :1\n---\naddr: :2", "f:2:1: a second document"},
	{"a list", "- addr", "f:1:1: must have keys and values, not a list"},
	{"a word", "addr", "f:1:1: must have keys and values, not a single value"},
	{"no value", "addr:\ndata: x", "f:1:6: addr: must be one value, not nothing"},
	{"list for a value", "addr: [a]", "f:1:7: addr: must be one value, not a list"},
	{"IPv6 without quotes", "addr: [::1]:80", "f:1:"},
	{"mapping for a value", "data: {a: 1}", "data: must be one value, not keys and values"},
	{"value for a list", "allowed_origins: https://a", "allowed_origins: must be a list, not a single value"},
	{"list for a mapping", "namespaces: [a]", "f:1:13: namespaces: must have keys and values, not a list"},
	{"nothing for a mapping", "namespaces:", "namespaces: must have keys and values, not nothing"},
	{"block of text", "data: |\n  x\n", "data: must be one value, not a block of text"},
	{"anchor", "data: &a x", "data: must be one value, not an anchor, alias or tag"},
	{"alias", "data: *a", "data: must be one value, not an anchor, alias or tag"},
	{"tag", "data: !!str x", "data: must be one value, not an anchor, alias or tag"},
	{"merge key", "<<: {addr: x}", "f:1:1: a key must be plain text"},
	{"null key", "~: 1", "f:1:1: a key must be plain text"},
	{"too large", strings.Repeat("#\n", maxFileBytes/2) + "#", "f: is larger than 128KB"},
	{"long line", "#" + strings.Repeat("x", maxLineBytes), "f:1: the line is longer than 1KB"},
	{"not UTF-8", "addr: :1\ndata: \xff", "f:2: the line is not UTF-8"},
	{"deep", strings.Repeat("[\n", 17), "f:17:1: is nested too deeply"},

	{"address without port", "addr: localhost", `f:1:7: addr: "localhost" is not an address; write host:port`},
	{"address, only a port", "addr: 8000", `addr: "8000" is not an address`},
	{"port too large", "addr: localhost:65536", "the port must be a number from 0 to 65535"},
	{"named port", "addr: localhost:http", "the port must be a number from 0 to 65535"},
	{"bad host", "addr: 'a b:1'", "the host is neither a name nor an IP address"},
	{"URL for an address", "addr: 'http://localhost:1'", `addr: "http://localhost:1" is not an address`},
	{"empty path", "data: ''", "f:1:7: data: must name a folder"},
	{"NUL in a path", `data: "a\0"`, "is not a path"},
	{"not a boolean", "allow_anonymous: yes", `f:1:18: allow_anonymous: "yes" is neither true nor false`},
	{"origin with a path", "allowed_origins: ['https://a.example/']", "allowed_origins[0]: \"https://a.example/\" has more than a scheme, a host and a port"},
	{"origin without scheme", "allowed_origins: [https://ok.example, a.example]", `f:1:39: allowed_origins[1]: "a.example" is not an origin`},
	{"any origin", "allowed_origins: ['*']", "has a wildcard"},
	{"wildcard origin", "allowed_origins: ['https://*.a.example']", "has a wildcard"},
	{"null origin", "allowed_origins: ['null']", "is not an origin"},
	{"origin with a user", "allowed_origins: ['https://a@b']", "has more than"},
	{"origin with a bad port", "allowed_origins: ['https://a:99999']", "has no valid port"},
	{"origin with an empty port", "allowed_origins: ['https://a:']", "has no valid port"},
	{"origin that is not ASCII", "allowed_origins: ['https://ä.example']", "is not an origin"},
	{"too many origins", "allowed_origins: [" + strings.Repeat("'a',\n", 101) + "]", "has 101 entries; at most 100 are allowed"},
	{"no unit", "ping_interval: 25", `f:1:16: ping_interval: "25" is not a duration; write numbers and units`},
	{"zero without unit", "ping_interval: 0", `ping_interval: "0" is not a duration`},
	{"zero", "ping_interval: 0s", `ping_interval: "0s" is less than 5s`},
	{"negative", "ping_interval: -25s", `ping_interval: "-25s" is less than 5s`},
	{"too short", "ping_interval: 4999ms", `ping_interval: "4999ms" is less than 5s`},
	{"too long", "ping_interval: 6m", `ping_interval: "6m" is more than 5m`},
	{"no connections", "connect_rate: 0", `connect_rate: "0" is less than 1`},
	{"namespace with a colon", "namespaces: {'a:b': {}}", `f:1:14: namespaces: "a:b" is not a namespace`},
	{"empty namespace", "namespaces: {'': {}}", `"" is not a namespace`},
	{"long namespace", "namespaces: {" + strings.Repeat("a", 65) + ": {}}", "is not a namespace"},
	{"namespace without rules", "namespaces:\n  a:\n", "namespaces.a: must have keys and values, not nothing"},
	{"too many namespaces", "namespaces:\n" + numbered("  n%d: {}\n", 257), "namespaces: has 257 entries; at most 256"},
	{"unknown kind", "namespaces: {a: {kind: lock}}", `namespaces.a.kind: "lock" is not one of pub, log, map`},
	{"history of a map", "namespaces: {a: {kind: map, history: {size: 1}}}", "namespaces.a.history: is for logs"},
	{"keys of a log", "namespaces: {a: {kind: log, max_keys: 5}}", "namespaces.a.max_keys: is for maps"},
	{"the server's namespace", "namespaces: {presence: {kind: map}}", "namespaces.presence: is the server's own"},
	{"the namespace of read cursors", "namespaces: {read: {kind: map}}", "namespaces.read: is the server's own; set `read_cursors`"},
	{"subscribers of an inbox", "namespaces: {a: {kind: inbox, subscribe: nobody}}", "f:1:31: namespaces.a.subscribe: is not for inboxes: each belongs to one user"},
	{"readers of an inbox", "namespaces: {a: {kind: inbox, read_history: users}}", "namespaces.a.read_history: is not for inboxes"},
	{"presence of an inbox", "namespaces: {a: {kind: inbox, presence: users}}", "namespaces.a.presence: is not for inboxes"},
	{"an inbox without read cursors", "namespaces: {a: {kind: inbox, read_cursors: nobody}}", "namespaces.a.read_cursors: cannot be `nobody`"},
	{"read cursors for everyone", "namespaces: {a: {kind: log, read_cursors: anyone}}", "namespaces.a.read_cursors: cannot be `anyone`"},
	{"read cursors of a pub", "namespaces: {a: {read_cursors: users}}", "namespaces.a.read_cursors: is for logs"},
	{"values of a log", "namespaces: {a: {kind: log, max_value: 1KB}}", "namespaces.a.max_value: is for maps"},
	{"values of nothing", "namespaces: {a: {kind: map, max_value: 0B}}", `"0B" is less than 1B`},
	{"values beyond a frame", "namespaces: {a: {kind: map, max_value: 65KB}}", `"65KB" is more than 64KB`},
	{"durability on Redis", "engine: redis://h\nnamespaces: {a: {kind: log, durability: fsync}}", "f:2:29: namespaces.a.durability: has no effect on Redis"},
	{"unknown clients", "namespaces: {a: {publish: user}}", `namespaces.a.publish: "user" is not one of nobody, users, anyone`},
	{"engine of another kind", "engine: postgres://u:hunter2@h", "engine: not the address of a Redis; write redis://host:port"},
	{"engine without a host", "engine: redis://", "engine: not the address of a Redis"},
	{"unknown durability", "namespaces: {a: {kind: log, durability: none}}", `namespaces.a.durability: "none" is not one of fsync, may-lose-tail`},
	{"history of a pub", "namespaces:\n  a:\n    history: {size: 1}", "f:3:5: namespaces.a.history: is for logs; add `kind: log`"},
	{"durability of a pub", "namespaces: {a: {kind: pub, durability: may-lose-tail}}", "namespaces.a.durability: is for logs and maps"},
	{"readers of a pub", "namespaces: {a: {read_history: users}}", "namespaces.a.read_history: is for logs"},
	{"size zero", "namespaces: {a: {kind: log, history: {size: 0}}}", `f:1:45: namespaces.a.history.size: "0" is less than 1`},
	{"size with a fraction", "namespaces: {a: {kind: log, history: {size: 1.5}}}", `"1.5" is not a whole number`},
	{"size out of range", "namespaces: {a: {kind: log, history: {size: 99999999999999999999}}}", "is out of range"},
	{"size too large", "namespaces: {a: {kind: log, history: {size: 100000001}}}", `"100000001" is more than 100000000`},
	{"bytes without unit", "namespaces: {a: {kind: log, history: {bytes: 100000}}}", `"100000" is not an amount of data; write a whole number and a unit`},
	{"bytes with a fraction", "namespaces: {a: {kind: log, history: {bytes: 1.5MB}}}", `"1.5MB" is not an amount of data`},
	{"bytes too few", "namespaces: {a: {kind: log, history: {bytes: 63KB}}}", `"63KB" is less than 64KB`},
	{"bytes too many", "namespaces: {a: {kind: log, history: {bytes: 2TB}}}", `"2TB" is more than 1TB`},
	{"bytes out of range", "namespaces: {a: {kind: log, history: {bytes: 9999999TB}}}", `"9999999TB" is too much`},
	{"age too short", "namespaces: {a: {kind: log, history: {age: 1ms}}}", `"1ms" is less than 1s`},
	{"age too long", "namespaces: {a: {kind: log, history: {age: 3651d}}}", `"3651d" is more than 3650d`},
}

func TestBadFiles(t *testing.T) {
	for _, c := range badFiles {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(Source{File: "f"}, []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%v: does not begin with the file", err)
			}
		})
	}
}

func TestBadEnvironmentAndFlags(t *testing.T) {
	for _, c := range []struct {
		key, env, value, want string
	}{
		{"addr", "EARSHOT_ADDR", "nonsense", `"nonsense" is not an address`},
		{"data", "EARSHOT_DATA", " ", "must name a folder"},
		{"allow_anonymous", "EARSHOT_ALLOW_ANONYMOUS", "1", `"1" is neither true nor false`},
		{"allowed_origins", "EARSHOT_ALLOWED_ORIGINS", "https://a,b", `"b" is not an origin`},
		{"allowed_origins", "EARSHOT_ALLOWED_ORIGINS", strings.Repeat(",", 100), "has 101 entries"},
		{"ping_interval", "EARSHOT_PING_INTERVAL", "1s", `"1s" is less than 5s`},
	} {
		_, err := Load(Source{Env: func(name string) string { return map[string]string{c.env: c.value}[name] }})
		if want := "$" + c.env + ": " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("environment: got %v, want %s", err, want)
		}
		_, err = Load(Source{Flags: map[string]string{c.key: c.value}})
		if want := "--" + strings.ReplaceAll(c.key, "_", "-") + ": " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("flag: got %v, want %s", err, want)
		}
	}
}

func TestSeveralErrorsAreReportedAtOnce(t *testing.T) {
	_, err := load(Source{File: "f"}, []byte("addr: x\ndata: ''\nnope: 1\n"))
	var first *Error
	if !errors.As(err, &first) || first.Where != "f:1:7" || first.Key != "addr" {
		t.Errorf("got %+v, want the error of addr first", first)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("got %d lines, want 3:\n%v", len(lines), err)
	}
	_, err = load(Source{File: "f"}, []byte(numbered("k%d: 1\n", 1000)))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxErrors+1 || lines[maxErrors] != "and more" {
		t.Errorf("got %d lines, want %d:\n%v", len(lines), maxErrors+1, err)
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
