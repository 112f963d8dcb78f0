//go:build linux

package process

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, script string) *Child {
	t.Helper()
	c, err := Start(exec.Command("/bin/sh", "-c", script))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChildTalksAndStops(t *testing.T) {
	c := start(t, "read line; echo got $line; cat")
	if _, err := c.Stdin.Write([]byte("this\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c.Stdout).ReadString('\n')
	if err != nil || line != "got this\n" {
		t.Errorf("it said %q, %v", line, err)
	}
	c.Stop(t.Context())
	c.Stop(t.Context())
	if alive(c) {
		t.Error("it is still there")
	}
}

func TestChildThatIgnoresSIGTERMIsKilled(t *testing.T) {
	c := start(t, "trap '' TERM; echo ready; while :; do read x || :; done")
	if _, err := bufio.NewReader(c.Stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Stop(ctx)
	if alive(c) {
		t.Error("it is still there")
	}
}

func TestFailureNamesWhatWasSaid(t *testing.T) {
	c := start(t, "echo out of luck >&2; exit 3")
	<-c.Exited()
	if err := c.Failure(); !strings.Contains(err.Error(), "exit status 3: out of luck") {
		t.Error(err)
	}
	c.Kill()
	if _, err := Start(exec.Command("/nonexistent")); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for range 3 {
		_, _ = kept.Write([]byte(strings.Repeat("x", maxTailBytes) + "end"))
	}
	if got := kept.String(); len(got) != maxTailBytes || !strings.HasSuffix(got, "xend") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-4:])
	}
}

// The CPU and memory of descendants count as those of the process.
func TestUsageOfATree(t *testing.T) {
	c := start(t, "exec 3<&0; sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; cat <&3' & wait")
	defer c.Kill()
	if _, err := bufio.NewReader(c.Stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cpu, err := CPU(c.PID())
	if err != nil || cpu < clockTick || cpu > time.Minute {
		t.Errorf("it used %v of CPU, %v", cpu, err)
	}
	mine, err := statusKB(c.PID(), "VmRSS:")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := ResidentBytes(c.PID()); err != nil || sum <= mine<<10 {
		t.Errorf("the tree has %d bytes, %v, and its root %d", sum, err, mine<<10)
	}
	if _, err := CPU(-1); err == nil {
		t.Error("a process that is not there has used CPU")
	}
}

func TestWrites(t *testing.T) {
	before, err := Writes(os.Getpid())
	if err != nil {
		t.Skip("this kernel does not count: ", err)
	}
	file, err := os.Create(t.TempDir() + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 10 {
		if _, err := file.WriteString("x"); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := Writes(os.Getpid()); err != nil || after < before+10 {
		t.Errorf("%d writes, then %d, %v", before, after, err)
	}
}

func TestThisMachine(t *testing.T) {
	m := ThisMachine()
	if m.Cores < 1 || m.CPU == "" || m.MemoryBytes < 1<<20 || !strings.HasPrefix(m.Kernel, "Linux ") || m.Go == "" {
		t.Errorf("%+v", m)
	}
	if KernelBytes() <= 0 || MaxDescriptors() < 1 {
		t.Error("the kernel says nothing")
	}
}

// alive reports whether the child's process can be signalled.
func alive(c *Child) bool {
	p, err := os.FindProcess(c.PID())
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
