//go:build linux

package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/earshot/earshot/internal/bench/process"
)

// footprint is what this process holds, after a collection.
type footprint struct {
	resident      int64
	heap, objects uint64
	stacks        uint64
}

func readFootprint() (f footprint, err error) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f.heap, f.objects, f.stacks = m.HeapAlloc, m.HeapObjects, m.StackInuse
	f.resident, err = process.ResidentBytes(os.Getpid())
	return f, err
}

// per sets what each of n sessions adds to what there was with a few.
func (f footprint) per(n int, few footprint, found figures) {
	each := func(all, before float64) float64 { return (all - before) / float64(n) }
	found[rssPerConnection] = each(float64(f.resident), float64(few.resident))
	found[heapPerConn] = each(float64(f.heap), float64(few.heap))
	found[objectsPerConn] = each(float64(f.objects), float64(few.objects))
	found[stackPerConn] = each(float64(f.stacks), float64(few.stacks))
	found[rssWithNone] = float64(few.resident)
}

// spent is what something took.
type spent struct{ cpu, took time.Duration }

// ownCPU measures this process while do runs.
func ownCPU(do func() error) (s spent, err error) {
	before, err := process.OwnCPU()
	if err != nil {
		return s, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return s, err
	}
	s.took = time.Since(began)
	after, err := process.OwnCPU()
	s.cpu = after - before
	return s, err
}
