package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/earshot/earshot/internal/testkit"
)

const testSecret = "a secret of the test that nobody else knows"

// writeTokenConfig returns the path of a configuration with an issuer of tokens.
func writeTokenConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "earshot.yaml")
	text := "addr: 127.0.0.1:0\ntokens: {issuers: [{issuer: test, audience: earshot, secret_file: " + secret + "}]}\n" +
		"namespaces: {news: {kind: log, subscribe: users}, chat: {kind: log}}\n"
	for name, text := range map[string]string{secret: testSecret + "\n", file: text} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// signToken has the program sign a token.
func signToken(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := runProgram(t, nil, append([]string{"token"}, args...)...)
	if code != exitOK {
		t.Fatalf("earshot token %v: %s", args, stderr)
	}
	return strings.TrimSpace(stdout)
}

// The program's server takes the tokens that the program signs, from its own clients too, and tells nobody what they are.
func TestServeTakesTokens(t *testing.T) {
	file := writeTokenConfig(t)
	s := startServer(t, nil, "serve", "--config="+file)
	token := signToken(t, "--config="+file, "--user=ann", "--allow=subscribe,publish", "--channel=chat:*")

	c := testkit.Connect(t, s.url)
	c.Send(`{"id":1,"sub":{"ch":"news:a"}}`)
	c.Want("error", `{"name":"unauthorized"}`)
	c.Send(`{"id":2,"hello":{"token":"` + token[:len(token)-4] + `AAAA"}}`)
	c.Want("error", `{"name":"unauthorized"}`)
	c.Send(`{"id":3,"hello":{"token":"` + token + `"}}`)
	c.Want("welcome", `{"user":"ann"}`)
	for id, channel := range []string{"news:a", "chat:a"} {
		c.Send(`{"id":` + string(rune('4'+id)) + `,"sub":{"ch":"` + channel + `"}}`)
		c.Want("subscribed", `{"ch":"`+channel+`"}`)
	}
	if stdout, stderr, code := runProgram(t, []string{"EARSHOT_TOKEN=" + token}, "pub", "--url="+s.url, "chat:a", `"hi"`); code != exitOK {
		t.Fatalf("earshot pub: %s%s", stdout, stderr)
	}
	c.Want("pub", `{"ch":"chat:a","user":"ann","data":"hi"}`)
	if _, stderr, code := runProgram(t, nil, "sub", "--url="+s.url, "--token="+token, "--count=1", "--last=1", "chat:a"); code == exitOK || !strings.Contains(stderr, "forbidden") {
		t.Errorf("history without a grant: exit code %d: %s", code, stderr)
	}
	s.stop(t)
	if said := s.stderr.String(); strings.Contains(said, token) || strings.Contains(said, testSecret) {
		t.Errorf("the log has a token or the secret: %s", said)
	}
}

func TestBadTokenCommands(t *testing.T) {
	file := writeTokenConfig(t)
	for args, want := range map[string]string{
		"":                                       "missing flags",
		"--user=ann":                             "--config",
		"--user=ann --config=" + file + "x":      "no such file",
		"--user=ann --expires=0s":                "--expires: must be more than nothing",
		"--user=ann --allow=publish":             "--allow and --channel",
		"--user=ann --channel=chat:a":            "--allow and --channel",
		"--user=ann --issuer=other":              "no such issuer with a secret",
		"--user=ann --allow=all --channel=a:b":   "allows something unknown",
		"--user=ann --allow=publish --channel=*": "channel pattern that is not valid",
	} {
		if strings.Contains(args, " ") && !strings.Contains(args, "--config") {
			args += " --config=" + file
		}
		stdout, stderr, code := runProgram(t, nil, append([]string{"token"}, strings.Fields(args)...)...)
		if code != exitUsage || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%s: exit code %d, printed %q: %s; want %s", args, code, stdout, stderr, want)
		}
	}
}
