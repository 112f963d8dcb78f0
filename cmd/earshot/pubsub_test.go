package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// nowhere is an address at which nothing listens: a command line that is refused is refused before it connects.
const nowhere = "--url=http://127.0.0.1:1"

func TestBadInputToPubAndSub(t *testing.T) {
	long := strings.Repeat("x", 129)
	for _, c := range []struct{ args, want string }{
		{"pub", `expected "<channel> <json>"`},
		{"pub log:a", `expected "<json>"`},
		{"pub log:a 1 2", "unexpected argument 2"},
		{"pub news 1", `channel "news": a channel name is namespace:rest`},
		{"pub log:a {", "data: the JSON text ends"},
		{"pub log:a hello", "data: not JSON at byte 0"},
		{"pub log:a 1 --timeout=0", "--timeout: must be more than 0"},
		{"pub log:a 1 --timeout=soon", "--timeout: "},
		{"pub log:a 1 --id=" + long, "--id: at most 128 bytes, not 129"},
		{"pub log:a 1 --url=ftp://host", `--url: server address "ftp://host": want http://host:port`},
		{"pub log:a 1 --url=http://u:secret@host", "--url: server address"},
		{"sub", `expected "<channel> ..."`},
		{"sub news", `channel "news": a channel name is namespace:rest`},
		{"sub log:a log:b --since=x", "--since: a position belongs to one channel"},
		{"sub log:a --since=" + long, "--since: at most 128 bytes, not 129"},
		{"sub log:a --last=-1", "--last: from 0 to 1048576, not -1"},
		{"sub log:a --last=many", "--last: "},
		{"sub log:a --count=-1", "--count: must not be negative, but is -1"},
		{"sub log:a --transport=mail", `--transport must be one of "auto","ws","sse","stream","poll"`},
		{"sub log:a --url=host", `--url: server address "host": want http://host:port`},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(c.args)
			if !strings.Contains(c.args, "--url") {
				args = append(args, nowhere)
			}
			stdout, stderr, code := runProgram(t, nil, args...)
			if !strings.Contains(stderr, c.want) || strings.Contains(stderr, "secret") {
				t.Errorf("got %q, want %q", stderr, c.want)
			}
			if stdout != "" || code != exitUsage {
				t.Errorf("printed %q and exited with %d", stdout, code)
			}
		})
	}
}

func TestPubAndSub(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil, "serve", "--insecure-open", "--addr=127.0.0.1:0")
	pub := func(args ...string) (line pubLine) {
		t.Helper()
		stdout, stderr, code := runProgram(t, nil, append([]string{"pub", "--url=" + s.url}, args...)...)
		if err := json.Unmarshal([]byte(stdout), &line); err != nil || code != exitOK || stderr != "" {
			t.Fatalf("pub %v: printed %q and %q, exited with %d", args, stdout, stderr, code)
		}
		return line
	}
	sub := func(args ...string) string {
		t.Helper()
		stdout, stderr, code := runProgram(t, nil, append([]string{"sub", "--url=" + s.url}, args...)...)
		if code != exitOK || stderr != "" {
			t.Fatalf("sub %v: printed %q and %q, exited with %d", args, stdout, stderr, code)
		}
		return stdout
	}

	first := pub("--id=k", "log:news", `{"n": 1.0}`)
	if first.Channel != "log:news" || first.Position == "" || first.Offset != 1 || first.Duplicate {
		t.Errorf("first: %+v", first)
	}
	want := first
	want.Duplicate = true
	if again := pub("--id=k", "log:news", `{"n": 1.0}`); again != want {
		t.Errorf("again: %+v, want %+v", again, want)
	}
	second := pub("log:news", "--", "-2")
	line := func(l pubLine, data string) string {
		return fmt.Sprintf(`{"type":"publication","channel":"log:news","position":%q,"offset":%d,"event":"message","data":%s}`+"\n", l.Position, l.Offset, data)
	}
	if got, want := sub("--last=10", "--count=2", "log:news"), line(first, `{"n": 1.0}`)+line(second, "-2"); got != want {
		t.Errorf("sub --last printed %s, want %s", got, want)
	}
	if got, want := sub("--since="+first.Position, "--count=1", "log:news"), line(second, "-2"); got != want {
		t.Errorf("sub --since printed %s, want %s", got, want)
	}
	if got := sub("--last=1", "--count=1", "log:news", "log:quiet"); got != line(second, "-2") {
		t.Errorf("sub of two channels printed %s", got)
	}
	for _, transport := range []string{"ws", "sse", "stream", "poll"} {
		if got := sub("--transport="+transport, "--last=1", "--count=1", "log:news"); got != line(second, "-2") {
			t.Errorf("sub by %s printed %s", transport, got)
		}
		if again := pub("--transport="+transport, "--id=k", "log:news", `{"n": 1.0}`); again != want {
			t.Errorf("pub by %s: %+v, want %+v", transport, again, want)
		}
	}
}

func TestPubReadsStandardInput(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil, "serve", "--insecure-open", "--addr=127.0.0.1:0")
	for input, wantCode := range map[string]int{
		"[1,\n2]\n":                    exitOK,
		"":                             exitUsage,
		"[1,":                          exitUsage,
		strings.Repeat("1", 64<<10+10): exitUsage,
	} {
		cmd := program(t, nil, "pub", "--url="+s.url, "log:in", "-")
		cmd.Stdin = strings.NewReader(input)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != wantCode {
			t.Errorf("%.10q: exited with %d, want %d: %s%s", input, code, wantCode, &out, &errs)
		}
	}
}

func TestPubFailures(t *testing.T) {
	t.Parallel()
	_, stderr, code := runProgram(t, nil, "pub", nowhere, "--timeout=300ms", "log:a", "1")
	if code != exitFailure || !strings.Contains(stderr, "deadline exceeded") || !strings.Contains(stderr, "connection refused") {
		t.Errorf("without a server: %q, exited with %d", stderr, code)
	}
	s := startServer(t, nil, "serve", "--insecure-open", "--addr=127.0.0.1:0")
	_, stderr, code = runProgram(t, nil, "pub", "--url="+s.url, "nowhere:a", "1")
	if code != exitFailure || !strings.Contains(stderr, `publish to "nowhere:a": bad_channel`) {
		t.Errorf("without a namespace: %q, exited with %d", stderr, code)
	}
	runProgram(t, nil, "pub", "--url="+s.url, "--id=k", "log:a", "1")
	_, stderr, code = runProgram(t, nil, "pub", "--url="+s.url, "--id=k", "log:a", "2")
	if code != exitFailure || !strings.Contains(stderr, "idem_reused") {
		t.Errorf("with a used id: %q, exited with %d", stderr, code)
	}
	_, stderr, code = runProgram(t, nil, "sub", "--url="+s.url, "log:a", "nowhere:a")
	if code != exitFailure || !strings.Contains(stderr, `subscribe to "nowhere:a": bad_channel`) {
		t.Errorf("sub without a namespace: %q, exited with %d", stderr, code)
	}
}

// A server that goes away and comes back at the same address finds its listener where it was.
func TestSubReconnects(t *testing.T) {
	t.Parallel()
	args := []string{"serve", "--insecure-open", "--data=" + t.TempDir()}
	s := startServer(t, nil, append(args, "--addr=127.0.0.1:0")...)
	pub := func(data string) {
		t.Helper()
		if _, stderr, code := runProgram(t, nil, "pub", "--url="+s.url, "log:a", data); code != exitOK {
			t.Fatal(stderr)
		}
	}
	pub("1")
	cmd := program(t, nil, "sub", "--url="+s.url, "--last=1", "log:a")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	wantData := func(data string) {
		t.Helper()
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), `"data":`+data+"}") {
			t.Fatalf("sub printed %q, want data %s", lines.Text(), data)
		}
	}
	wantData("1")
	s.Process.Kill()
	s.Wait()
	again := startServer(t, nil, append(args, "--addr="+strings.TrimPrefix(s.url, "http://"))...)
	if again.url != s.url {
		t.Fatalf("the server came back at %s, not %s", again.url, s.url)
	}
	pub("2")
	wantData("2")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() {
		t.Errorf("sub printed %q at the end", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("sub ended with %v: %s", err, &errs)
	}
	if got := errs.String(); !strings.Contains(got, "not connected, trying again: ") || !strings.Contains(got, "earshot sub: connected\n") {
		t.Errorf("sub said %q", got)
	}
}
