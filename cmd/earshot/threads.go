package main

import (
	"os"
	"runtime"
)

// spareThreads is how many more threads than cores may run Go code at once. While workers write to thousands of sockets they keep
// as many threads busy as there are cores; only with one to spare does the Go scheduler wait for the network all the while,
// and the operating system lets that thread in at once when a message comes.
const spareThreads = 2

// addThreads raises GOMAXPROCS by spareThreads, unless the environment sets it.
func addThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareThreads)
	}
}
