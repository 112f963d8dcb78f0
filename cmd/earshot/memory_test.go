package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

var sink []byte

func TestHeapTellsGarbage(t *testing.T) {
	debug.FreeOSMemory()
	before := readHeap()
	for range 16 {
		sink = make([]byte, 1<<20)
	}
	dirty := readHeap()
	if dirty.allocated-before.allocated < 16<<20 {
		t.Errorf("allocated %d bytes, it says %d", 16<<20, dirty.allocated-before.allocated)
	}
	sink = nil
	debug.FreeOSMemory()
	if left := readHeap().spare(); left >= worthBytes {
		t.Errorf("%d bytes to spare right after they were given back", left)
	}
}

func TestHeapTellsWhatTheRuntimeKeeps(t *testing.T) {
	sink = make([]byte, 64<<20)
	sink = nil
	runtime.GC() // frees it, and keeps the pages
	if spare := readHeap().spare(); spare < 32<<20 {
		t.Errorf("%d bytes to spare after 64 MB were freed", spare)
	}
}
