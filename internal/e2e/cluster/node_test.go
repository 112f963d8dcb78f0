package cluster

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// node is a server in a process of its own. It can be killed and started again at the same address.
type node struct {
	t    *testing.T
	path string
	args []string // without the address
	env  []string
	addr string // host:port; port 0 before the first start
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs *bytes.Buffer
}

// namespaces is the configuration of all nodes: everyone may do everything. The logs few and young keep little.
const namespaces = `
allow_anonymous: true
namespaces:
  log: {kind: log, history: {size: 1000000}, subscribe: anyone, publish: anyone, read_history: anyone, presence: anyone}
  few: {kind: log, history: {size: 40}, subscribe: anyone, publish: anyone, read_history: anyone}
  young: {kind: log, history: {age: 1s}, subscribe: anyone, publish: anyone, read_history: anyone}
  map: {kind: map, subscribe: anyone, publish: anyone, read_history: anyone}
`

// startNode runs the program on the Redis at engine.
func startNode(t *testing.T, engine string) *node {
	t.Helper()
	file := filepath.Join(t.TempDir(), "earshot.yaml")
	if err := os.WriteFile(file, []byte(namespaces), 0o600); err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, path: binary, args: []string{"serve", "--config=" + file, "--engine=" + engine}, addr: "127.0.0.1:0"}
	n.start()
	t.Cleanup(n.kill)
	return n
}

// start runs the program and waits until it listens.
func (n *node) start() {
	n.t.Helper()
	n.errs = new(bytes.Buffer)
	n.cmd = exec.Command(n.path, append(n.args, "--addr="+n.addr)...)
	n.cmd.Env = append(os.Environ(), n.env...)
	n.cmd.Stderr = n.errs
	endWithTest(n.cmd)
	stdin, err := n.cmd.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.in, n.out = stdin, bufio.NewReader(stdout)
	line, err := n.out.ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
	if err != nil || !ok {
		n.kill()
		n.t.Fatalf("the server printed %q and %s", line, n.errs)
	}
	n.addr = addr
}

// kill ends the process as kill -9 does. It is idempotent.
func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill() // it may be gone already
	n.reap()
}

// stop ends the process as an operator does, and waits until it has drained.
func (n *node) stop() {
	n.t.Helper()
	n.signal(syscall.SIGTERM)
	n.reap()
}

func (n *node) reap() {
	_, _ = io.Copy(io.Discard, n.out) // Wait wants it read to its end
	_ = n.cmd.Wait()                  // reports the signal
	n.cmd = nil
	if n.t.Failed() {
		n.t.Logf("the server at %s said: %s", n.addr, n.errs)
	}
}

// pause stops the process without ending it, until resume, and returns once it has stopped.
func (n *node) pause() {
	n.t.Helper()
	n.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(n.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		n.t.Fatalf("the process did not stop: %v, %v", status, err)
	}
}

func (n *node) resume() { n.signal(syscall.SIGCONT) }

func (n *node) signal(s syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) url() string { return "http://" + n.addr }
