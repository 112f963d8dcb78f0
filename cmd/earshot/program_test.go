package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram makes the test's own binary behave as the program, so that what is tested is the real main.
const asProgram = "EARSHOT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// patience ends a test that hangs.
const patience = time.Minute

// program prepares a run of the program with args, in an empty folder and with env as its only EARSHOT_ variables.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{asProgram + "=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "EARSHOT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// runProgram runs the program to its end.
func runProgram(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := program(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// server is a running program that listens.
type server struct {
	*exec.Cmd
	url    string
	lines  *bufio.Scanner // of its standard output, after the first
	stderr *bytes.Buffer  // to be read once it ended
}

const announcement = "listening on "

// startServer runs the program and waits until it says where it listens. It is killed at the end of the test if it still runs.
func startServer(t *testing.T, env []string, args ...string) *server {
	t.Helper()
	s := &server{Cmd: program(t, env, args...), stderr: new(bytes.Buffer)}
	s.Stderr = s.stderr
	stdout, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Process.Kill()
		s.Wait()
	})
	s.lines = bufio.NewScanner(stdout)
	if !s.lines.Scan() {
		s.Wait()
		t.Fatalf("it said nothing on its standard output; on the other: %s", s.stderr)
	}
	url, ok := strings.CutPrefix(s.lines.Text(), announcement)
	if !ok {
		t.Fatalf("its first line is %q", s.lines.Text())
	}
	s.url = url
	return s
}

// stop sends SIGTERM and returns what else it printed, and its exit code.
func (s *server) stop(t *testing.T) (stdout []string, code int) {
	t.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		stdout = append(stdout, s.lines.Text())
	}
	s.Wait()
	return stdout, s.ProcessState.ExitCode()
}
