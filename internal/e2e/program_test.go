package e2e

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is a server in a process of its own. It can be killed and started again at the same address.
type program struct {
	t    *testing.T
	args []string // without the address
	addr string   // host:port; port 0 before the first start
	cmd  *exec.Cmd
	out  *bufio.Reader
	errs *bytes.Buffer
}

// startProgram runs the server, open to everyone, or with the configuration if it is not empty.
func startProgram(t *testing.T, config string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, args: []string{"serve", "--data=" + filepath.Join(dir, "data")}, addr: "127.0.0.1:0"}
	if config == "" {
		p.args = append(p.args, "--insecure-open")
	} else {
		file := filepath.Join(dir, "earshot.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
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
	p.cmd = exec.Command(binary, append(p.args, "--addr="+p.addr)...)
	p.cmd.Stderr = p.errs
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
	_ = p.cmd.Process.Kill()          // it may be gone already
	_, _ = io.Copy(io.Discard, p.out) // Wait wants it read to its end
	_ = p.cmd.Wait()                  // reports the kill
	p.cmd = nil
	if p.t.Failed() {
		p.t.Logf("the server said: %s", p.errs)
	}
}

func (p *program) url() string { return "http://" + p.addr }
