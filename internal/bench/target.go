//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/earshot/earshot/internal/bench/bare"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/bench/process"
)

// endpointPath is where an Earshot takes WebSocket connections, unless its URL has a path.
const endpointPath = "/live/websocket"

// target is a server that is measured.
type target struct {
	url      string // where clients connect
	dialect  crowd.Dialect
	channels bool // it knows channels; otherwise everybody gets everything
	pid      int  // zero: its CPU and memory can't be measured

	command []string   // that runs the bench's own server, but for its flags
	server  *listening // nil if it is not the bench's own
	data    string     // its temporary folder; empty for none
	keeper  *keeper    // nil: it keeps its data in that folder
}

// openEarshot returns the server at --url, or starts one.
func (c *Common) openEarshot(ctx context.Context) (*target, error) {
	t := &target{dialect: crowd.Earshot(), channels: true, command: []string{"serve", "--insecure-open"}}
	if c.secure {
		t.command = []string{"bench", "tls"}
	}
	if c.URL != "" {
		t.url, t.pid = earshotURL(c.URL), c.ServerPID
		return t, nil
	}
	var err error
	if t.data, err = c.tempDir(); err != nil {
		return nil, err
	}
	if t.keeper, err = c.openKeeper(ctx, c.backend); err == nil {
		err = t.start(ctx, "127.0.0.1:0")
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// start runs the target's own server on addr.
func (t *target) start(ctx context.Context, addr string) error {
	cmd, err := self(append(t.command, "--addr", addr, "--data", t.data)...)
	if err != nil {
		return err
	}
	if t.keeper != nil { // not by a flag, which others can read: it may have a password
		cmd.Env = append(os.Environ(), "EARSHOT_ENGINE="+t.keeper.url)
	}
	if t.server, err = listen(ctx, cmd); err != nil {
		return err
	}
	t.url, t.pid = earshotURL(t.server.url), t.server.child.PID()
	if t.command[0] != "serve" {
		t.url = strings.Replace(t.url, "http://", "https://", 1)
	}
	return nil
}

// restart kills the target's own server, as a crash would, and starts it again on the same address and data.
func (t *target) restart(ctx context.Context) error {
	u, err := url.Parse(t.url)
	if err != nil {
		return err
	}
	t.server.kill()
	return t.start(ctx, u.Host)
}

// openBaseline starts the bare server, or returns the other one that --baseline names.
func (c *Common) openBaseline(ctx context.Context) (*target, error) {
	if c.Baseline != baselineRaw {
		d, err := crowd.ReadDialect(c.BaselineFrames)
		return &target{url: c.Baseline, dialect: d, channels: true, pid: c.BaselinePID}, err
	}
	cmd, err := self("bench", "bare")
	if err != nil {
		return nil, err
	}
	server, err := listen(ctx, cmd)
	if err != nil {
		return nil, err
	}
	d := crowd.Dialect{Publish: bareFrame(), PublishPath: bare.PublishPath}
	return &target{url: server.url + "/subscribe", dialect: d, pid: server.child.PID(), server: server}, nil
}

// close ends the target's own server.
func (t *target) close() {
	if t.server != nil {
		t.server.stop()
	}
	t.keeper.close()
	if t.data != "" {
		_ = os.RemoveAll(t.data) // what is left is in the system's folder for temporary files
	}
}

// usage is what a server has used so far.
type usage struct {
	cpu    time.Duration
	engine time.Duration // of the Redis that it keeps its data in
	writes int64         // zero if the kernel does not tell
	at     time.Time
}

// usage reads the server's CPU time. It is zero for a server whose process is not known.
func (t *target) usage() (usage, error) {
	if t.pid == 0 {
		return usage{at: time.Now()}, nil
	}
	cpu, err := process.CPU(t.pid)
	engine, err2 := t.keeper.cpu()
	writes, _ := process.Writes(t.pid) // not every kernel counts, and not for every process
	return usage{cpu, engine, writes, time.Now()}, errors.Join(err, err2)
}

// self prepares a run of this program.
func self(args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return exec.Command(program, args...), nil
}

// loadProcess prepares a process for a part of a crowd.
func loadProcess() (*exec.Cmd, error) { return self("bench", "crowd") }

func earshotURL(base string) string {
	u, err := url.Parse(base)
	if err != nil || strings.Trim(u.Path, "/") != "" { // Validate has seen it
		return base
	}
	return strings.TrimSuffix(base, "/") + endpointPath
}

// baseURL is the address of the server of which url is the endpoint.
func baseURL(endpoint string) string {
	if base, ok := strings.CutSuffix(endpoint, endpointPath); ok {
		return base
	}
	return strings.TrimSuffix(endpoint, "/websocket")
}
