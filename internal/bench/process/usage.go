//go:build linux

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of CPU times in /proc (proc_pid_stat(5)). Linux has used 100 Hz there on every architecture of
// Go's for as long as Go exists.
const clockTick = 10 * time.Millisecond

// CPU returns the processor time, user and system, that the process and its living descendants have used.
func CPU(pid int) (time.Duration, error) {
	all, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, s := range all {
		ticks += s.ticks
	}
	return time.Duration(ticks) * clockTick, nil
}

// ResidentBytes returns the memory (VmRSS) of the process and its living descendants.
func ResidentBytes(pid int) (int64, error) {
	all, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range all {
		kb, err := statusKB(s.pid, "VmRSS:")
		if errors.Is(err, fs.ErrNotExist) && s.pid != pid {
			continue // a descendant that has just ended
		}
		if err != nil {
			return 0, fmt.Errorf("read the memory of process %d: %w", s.pid, err)
		}
		sum += kb << 10
	}
	return sum, nil
}

// Writes returns how many write calls the process and its living descendants have made, on sockets and files alike.
func Writes(pid int) (int64, error) {
	all, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range all {
		n, err := writes(s.pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func writes(pid int) (int64, error) {
	file := fmt.Sprintf("/proc/%d/io", pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read the writes of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "syscw:"); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s does not say how many writes there were", file)
}

// stat is what is wanted of /proc/PID/stat.
type stat struct {
	pid, parent int
	ticks       int64 // utime + stime
}

// tree returns the process, first, and its descendants.
func tree(root int) ([]stat, error) {
	first, err := readStat(root)
	if err != nil {
		return nil, err
	}
	children, err := childrenByParent()
	if err != nil {
		return nil, err
	}
	found := []stat{first}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found, nil
}

func childrenByParent() (map[int][]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]stat)
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		if err != nil { // it has ended meanwhile
			continue
		}
		children[s.parent] = append(children[s.parent], s)
	}
	return children, nil
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	// The second field is the program's name in parentheses, and may hold anything.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	const state, ppid, utime, stime = 0, 1, 11, 12
	if len(fields) <= stime || fields[state] == "" {
		return stat{}, fmt.Errorf("read the CPU time of process %d: cannot read %q", pid, text)
	}
	parent, err1 := strconv.Atoi(fields[ppid])
	user, err2 := strconv.ParseInt(fields[utime], 10, 64)
	system, err3 := strconv.ParseInt(fields[stime], 10, 64)
	return stat{pid: pid, parent: parent, ticks: user + system}, errors.Join(err1, err2, err3)
}

// statusKB returns a field of /proc/PID/status that is in kB.
func statusKB(pid int, field string) (int64, error) {
	return fieldKB(fmt.Sprintf("/proc/%d/status", pid), field)
}

// fieldKB returns the number behind field in a file of lines such as "VmRSS:  1234 kB".
func fieldKB(file, field string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, field)
}

// OwnCPU returns the processor time, user and system, that this process has used: finer than CPU, and without descendants.
func OwnCPU() (time.Duration, error) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("read the CPU time of this process: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}
