package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTicks is how the kernel counts processor time: hundredths of a second, on every Linux that Go runs on.
const clockTicks = 100

// cpu returns how much processor time the program has used.
func (p *program) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat := readProc(t, p.cmd.Process.Pid, "stat")
	// The name, in brackets, may hold spaces. After it, user and system time are the 12th and 13th field (proc(5)).
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	return time.Duration(number(t, fields[11])+number(t, fields[12])) * time.Second / clockTicks
}

// memory returns the program's resident memory in bytes.
func (p *program) memory(t *testing.T) int64 {
	t.Helper()
	_, rest, found := strings.Cut(readProc(t, p.cmd.Process.Pid, "status"), "VmRSS:")
	if !found {
		t.Fatal("the process has no VmRSS")
	}
	return number(t, strings.Fields(rest)[0]) << 10
}

// connections returns how many connections the program has: its sockets but the one that listens.
func (p *program) connections(t *testing.T) (n int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		// One that was closed meanwhile is none.
		if to, err := os.Readlink(dir + "/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n - 1
}

func readProc(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
