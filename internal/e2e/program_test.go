package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is a server in a process of its own. It can be killed and started again at the same address.
type program struct {
	t     *testing.T
	path  string   // of the program; the one that all tests share if empty
	under []string // the command that runs the program, if any
	args  []string // without the address
	env   []string // beside that of the test
	addr  string   // host:port; port 0 before the first start
	cmd   *exec.Cmd
	out   *bufio.Reader
	errs  *bytes.Buffer
}

// setup says how a program runs. The zero value is a server that is open to everyone, in a temporary folder.
type setup struct {
	program string   // another build of the program
	config  string   // the configuration; empty: --insecure-open
	data    string   // folder of the store
	host    string   // to listen at; 127.0.0.1 if empty
	under   []string // a command that executes the command that follows it, such as nice
}

// startProgram runs the server, open to everyone, or with the configuration if it is not empty.
func startProgram(t *testing.T, config string) *program {
	t.Helper()
	return startWith(t, setup{config: config})
}

func startWith(t *testing.T, s setup) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{
		t: t, path: s.program, under: s.under, addr: cmp.Or(s.host, "127.0.0.1") + ":0",
		args: []string{"serve", "--data=" + cmp.Or(s.data, filepath.Join(dir, "data"))},
	}
	if s.config == "" {
		p.args = append(p.args, "--insecure-open")
	} else {
		file := filepath.Join(dir, "earshot.yaml")
		if err := os.WriteFile(file, []byte(s.config), 0o600); err != nil {
			t.Fatal(err)
		}
		p.args = append(p.args, "--config="+file)
	}
	p.start()
	t.Cleanup(func() { p.kill() })
	return p
}

// start runs the program and waits until it listens.
func (p *program) start() {
	p.t.Helper()
	p.errs = new(bytes.Buffer)
	command := append(append(append([]string(nil), p.under...), cmp.Or(p.path, binary)), p.args...)
	p.cmd = exec.Command(command[0], append(command[1:], "--addr="+p.addr)...)
	p.cmd.Stderr = p.errs
	p.cmd.Env = append(os.Environ(), p.env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.out = bufio.NewReader(stdout)
	line, err := p.out.ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
	if err != nil || !ok {
		p.kill()
		p.t.Fatalf("the server printed %q and %s", line, p.errs)
	}
	p.addr = addr
}

// kill ends the process as kill -9 does. It is idempotent.
func (p *program) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may be gone already
	_ = p.wait()             // reports the kill
	if p.t.Failed() {
		p.t.Logf("the server said: %s", p.errs)
	}
}

// terminate asks the process to end, as systemd does. It must be waited for.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end of the process.
func (p *program) wait() error {
	_, _ = io.Copy(io.Discard, p.out) // Wait wants it read to its end
	err := p.cmd.Wait()
	p.cmd = nil
	return err
}

func (p *program) url() string { return "http://" + p.addr }
