package main

import (
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
	if left := readHeap().garbage(); left >= worthBytes {
		t.Errorf("%d bytes of garbage right after a collection", left)
	}
}
