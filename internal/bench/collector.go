//go:build linux

package bench

import (
	"runtime/metrics"
	"time"
)

// collector is what the garbage collector has done since the process began.
type collector struct {
	cycles       uint64
	cpuSeconds   float64
	longestPause time.Duration // the upper bound of its bucket
}

func readCollector() collector {
	s := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(s)
	return collector{
		cycles: s[0].Value.Uint64(), cpuSeconds: s[1].Value.Float64(), longestPause: longest(s[2].Value.Float64Histogram()),
	}
}

// longest returns the upper bound of the last bucket that has anything.
func longest(h *metrics.Float64Histogram) time.Duration {
	for i := len(h.Counts) - 1; i >= 0; i-- {
		if h.Counts[i] > 0 {
			return time.Duration(h.Buckets[min(i+1, len(h.Buckets)-2)] * float64(time.Second))
		}
	}
	return 0
}
