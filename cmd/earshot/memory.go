package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// memoryShare of a container's limit is the collector's own: the rest is for the kernel's and the store's.
	memoryShare = 0.9
	// quietEvery is how often the program looks whether it is quiet; quietBytes is what it allocates at most meanwhile
	// if it is.
	quietEvery = 5 * time.Second
	quietBytes = 4 << 20
	// worthBytes that could be given back are worth a collection by a program that is quiet.
	worthBytes = 4 << 20
)

// limitMemory tells the collector of the limit that the container has, if it has one and GOMEMLIMIT says nothing else.
func limitMemory() {
	_, err := memlimit.Set(
		memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.FromCgroup),
		memlimit.WithLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		slog.Debug("no memory limit was found", "error", err)
	}
}

// collectWhenQuiet gives memory back after a rush. The collector runs when the heap has grown by as much again, which after
// many clients have connected at once may be never: what their handshakes left then stays for good. And what it has freed, the
// runtime keeps for as large a heap as before.
func collectWhenQuiet(ctx context.Context) {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	before := readHeap()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := readHeap()
		if now.allocated-before.allocated <= quietBytes && now.spare() >= worthBytes {
			debug.FreeOSMemory()
			now = readHeap()
		}
		before = now
	}
}

// heap is what the collector says of the heap, in bytes.
type heap struct {
	allocated uint64 // since the start
	objects   uint64 // live, and garbage not yet collected
	live      uint64 // after the last collection
	free      uint64 // pages without objects, which the system does not have back
}

// spare is about what the system would get back.
func (h heap) spare() uint64 { return h.objects - min(h.objects, h.live) + h.free }

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	return heap{
		allocated: s[0].Value.Uint64(), objects: s[1].Value.Uint64(), live: s[2].Value.Uint64(), free: s[3].Value.Uint64(),
	}
}
