//go:build linux

package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long a child has to end after SIGTERM before it is killed.
const stopPatience = 5 * time.Second

// Child is a process that this one started. It is killed when this process dies, however that comes about.
type Child struct {
	name   string
	cmd    *exec.Cmd
	stderr tail

	// Stdin and Stdout are the other ends of the child's.
	Stdin  io.WriteCloser
	Stdout io.ReadCloser

	waiter sync.WaitGroup
	exited chan struct{}
	err    error // of Wait; to be read once exited is closed
}

// Start runs cmd, whose Stdin, Stdout and Stderr must be nil. The caller stops the child.
func Start(cmd *exec.Cmd) (*Child, error) {
	c := &Child{name: commandName(cmd), cmd: cmd, exited: make(chan struct{})}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	// Not StdoutPipe: that is closed as soon as the child has ended, with what it said last unread.
	stdout, childEnd, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	c.Stdin, c.Stdout = stdin, stdout
	cmd.Stdout, cmd.Stderr = childEnd, &c.stderr
	cmd.WaitDelay = stopPatience // a child of the child's may hold on to its standard error
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	c.waiter.Go(func() { c.run(started) })
	err = <-started
	_ = childEnd.Close() // the child has its own
	if err != nil {
		_ = stdout.Close() // nothing was said
		c.waiter.Wait()
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	return c, nil
}

// run starts the process and waits for it. It stays on its thread all the while, because the kernel kills the child with
// the thread that started it.
func (c *Child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.exited)
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.err = c.cmd.Wait()
	}
}

// PID returns the process's id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Exited is closed once the child has ended.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Failure says why a child that has ended did, with the end of what it wrote to its standard error.
func (c *Child) Failure() error {
	said := strings.TrimSpace(c.stderr.String())
	if c.err != nil {
		return fmt.Errorf("%s ended: %w: %s", c.name, c.err, said)
	}
	return fmt.Errorf("%s ended: %s", c.name, said)
}

// Stop ends the child, by force if it does not go within 5 s or ctx ends first, and waits for it. It is idempotent.
func (c *Child) Stop(ctx context.Context) {
	_ = c.Stdin.Close()                       // some children take this as their end
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	select {
	case <-c.exited:
	case <-ctx.Done():
		_ = c.cmd.Process.Kill() // it may have ended just now
	}
	c.waiter.Wait()
	_ = c.Stdout.Close() // whoever reads it is done with it
}

// Kill ends the child at once, as a crash would, and waits for it.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill() // it may have ended already
	_ = c.Stdin.Close()      // nobody is at the other end
	c.waiter.Wait()
	_ = c.Stdout.Close() // whoever reads it is done with it
}

func commandName(cmd *exec.Cmd) string {
	return strings.Join(cmd.Args[:min(len(cmd.Args), 3)], " ")
}
