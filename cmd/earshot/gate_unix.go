//go:build unix

package main

import (
	"math"
	"syscall"
)

// descriptorLimit returns how many descriptors the process may have; zero: any number.
func descriptorLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
