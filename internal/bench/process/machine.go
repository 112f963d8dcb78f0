//go:build linux

package process

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine describes where a measurement was made.
type Machine struct {
	Cores       int     `json:"cores"`
	CPU         string  `json:"cpu"`
	MemoryBytes int64   `json:"memory_bytes"`
	Kernel      string  `json:"kernel"`
	Go          string  `json:"go"`
	Load        float64 `json:"load_average"` // of the last minute, before the measurement
}

// ThisMachine describes the machine. What it does not tell is left empty.
func ThisMachine() Machine {
	memory, _ := fieldKB("/proc/meminfo", "MemTotal:")
	return Machine{
		Cores: runtime.NumCPU(), CPU: cpuModel(), MemoryBytes: memory << 10,
		Kernel: kernel(), Go: runtime.Version(), Load: loadAverage(),
	}
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

func loadAverage() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}

// KernelBytes returns what the kernel holds for sockets: its slabs, and the buffers of TCP. It is that of the whole
// machine, so only a difference says something.
func KernelBytes() int64 {
	slab, _ := fieldKB("/proc/meminfo", "Slab:")
	return slab<<10 + tcpBufferBytes()
}

func tcpBufferBytes() int64 {
	text, _ := os.ReadFile("/proc/net/sockstat")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "TCP:" {
			pages, _ := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			return pages * int64(os.Getpagesize())
		}
	}
	return 0
}

// MaxDescriptors returns how many files this process may have open at once.
func MaxDescriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what POSIX systems give at the least
	}
	return int(min(limit.Cur, 1<<30))
}
