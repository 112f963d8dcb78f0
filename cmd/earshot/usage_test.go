package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Bad input to every flag, variable and file: the message says what is wrong and where, nothing is printed to standard
// output, and the exit code says that the fault is in the input.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yaml")
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("namespaces:\n  chat: {knd: log}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(dir, "ready.yaml")
	if err := os.WriteFile(ready, []byte("namespaces: {log: {}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ env, args, want string }{
		{"", "", `expected one of "serve"`},
		{"", "serv", `unexpected argument serv, did you mean "serve"?`},
		{"", "--nope", "unknown flag --nope"},
		{"", "serve --nope", "unknown flag --nope"},
		{"", "serve extra", "unexpected argument extra"},
		{"", "serve --addr", "--addr: "},
		{"", "serve --addr= ", `--addr: "" is not an address; write host:port`},
		{"", "serve --addr=nonsense", `--addr: "nonsense" is not an address; write host:port`},
		{"", "serve --addr=localhost:99999", "--addr: \"localhost:99999\": the port must be a number from 0 to 65535"},
		{"", "serve --data=", "--data: must name a folder"},
		{"", "serve --config=" + missing, missing + ": no such file"},
		{"", "serve --config=" + dir, dir + ": is a directory"},
		{"", "serve --config=" + broken, broken + `:2:10: namespaces.chat: unknown key "knd"; did you mean "kind"?`},
		{"", "serve --config=" + ready + " --insecure-open", `namespace "log", which --insecure-open also defines`},
		{"", "serve --insecure-open=maybe", "--insecure-open: "},
		{"", "serve", "no namespace is configured, so no channel could exist; name a file with --config, or try --insecure-open"},
		{"EARSHOT_ADDR=nonsense", "serve --insecure-open", `$EARSHOT_ADDR: "nonsense" is not an address`},
		{"EARSHOT_DATA= ", "serve --insecure-open", "$EARSHOT_DATA: must name a folder"},
		{"EARSHOT_PING_INTERVAL=1", "serve --insecure-open", `$EARSHOT_PING_INTERVAL: "1" is not a duration`},
		{"EARSHOT_ALLOW_ANONYMOUS=maybe", "serve --insecure-open", `$EARSHOT_ALLOW_ANONYMOUS: "maybe" is neither true nor false`},
		{"EARSHOT_ALLOWED_ORIGINS=*", "serve --insecure-open", `$EARSHOT_ALLOWED_ORIGINS: "*" has a wildcard`},
		{"EARSHOT_CONFIG=" + missing, "serve", missing + ": no such file"},
		{"EARSHOT_INSECURE_OPEN=maybe", "serve", "EARSHOT_INSECURE_OPEN"},
		{"", "demo --addr=nonsense", `--addr: "nonsense" is not an address`},
		{"", "demo --data=", "--data: must name a folder"},
		{"", "demo --config=x", "unknown flag --config"},
		{"", "version extra", "unexpected argument extra"},
	} {
		t.Run(c.env+" "+c.args, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := runProgram(t, []string{c.env}, strings.Fields(c.args)...)
			if !strings.Contains(stderr, c.want) || !strings.HasPrefix(stderr, "earshot") {
				t.Errorf("got %q, want %q", stderr, c.want)
			}
			if stdout != "" || code != exitUsage {
				t.Errorf("printed %q and exited with %d", stdout, code)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for args, want := range map[string]string{
		"--help":       "serve",
		"serve --help": "$EARSHOT_ADDR",
		"demo --help":  "two browsers",
		"version":      "earshot ",
	} {
		stdout, stderr, code := runProgram(t, nil, strings.Fields(args)...)
		if !strings.Contains(stdout, want) || stderr != "" || code != exitOK {
			t.Errorf("%s: printed %q and %q, exited with %d", args, stdout, stderr, code)
		}
	}
}
