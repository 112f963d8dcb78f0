package redis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// binaries are the programs that the engine works on; the first that is installed is the one for most tests.
var binaries = []string{"redis-server", "valkey-server"}

// server is a Redis, or a Valkey, of a test's own.
type server struct {
	t      testing.TB
	binary string
	dir    string
	port   int
	bus    string // port of the cluster bus
	args   []string
	cmd    *exec.Cmd
}

// startServer starts a server on a free port with its data in a temporary folder, and kills it when the test ends.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	for _, name := range binaries {
		if _, err := exec.LookPath(name); err == nil {
			return startServerOf(t, name, args...)
		}
	}
	t.Skip("redis-server is not installed: scripts/need redis-server")
	return nil
}

// startServerOf is startServer for one of binaries.
func startServerOf(t testing.TB, binary string, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath(binary); err != nil {
		t.Skip(binary + " is not installed")
	}
	s := &server{t: t, binary: binary, dir: t.TempDir(), port: freePort(t), args: args}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// freePort returns a port below those that systems give to outgoing connections: one of these could take it while its server
// is down.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func (s *server) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *server) url() string { return "redis://" + s.address() }

// start starts the server on the data that is in its folder, and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	// A configuration file, if one is among the args, comes first.
	args := append(slices.Clip(s.args), "--bind", "127.0.0.1", "--port", fmt.Sprint(s.port), "--dir", s.dir)
	s.cmd = exec.Command(s.binary, args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	endWithTest(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, s.binary+" answers", func() bool {
		c, err := s.dial()
		if err != nil {
			return false
		}
		defer c.Close()
		return c.Do(context.Background(), c.B().Ping().Build()).Error() == nil
	})
}

func (s *server) dial() (rueidis.Client, error) {
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.address()}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
	})
}

// kill ends the server like a crash of its process does.
func (s *server) kill() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// pause stops the process without ending it, until resume.
func (s *server) pause()  { s.signal(syscall.SIGSTOP) }
func (s *server) resume() { s.signal(syscall.SIGCONT) }

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// do runs a command as another client would.
func (s *server) do(command ...string) rueidis.RedisResult {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	return c.Do(context.Background(), c.B().Arbitrary(command...).Build())
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for !ok() {
		if pause(ctx, 5*time.Millisecond); ctx.Err() != nil {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
