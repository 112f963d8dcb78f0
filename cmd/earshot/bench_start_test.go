//go:build linux

package main

import "testing"

func TestBenchStart(t *testing.T) {
	t.Parallel()
	var r startReport
	runBenchInto(t, "start --channels=1500 --settle=0s", &r)
	if r.Channels != 1500 || r.RSS < 1<<20 || r.Again < 1<<20 || r.Disk < 1500*128 {
		t.Errorf("%+v", r)
	}
	if r.CPU == nil || r.Listening <= 0 || r.History < r.Listening || r.Publish < r.History || !r.Latency.plausible() {
		t.Errorf("%+v", r)
	}
}

// startReport is what "bench start" reports.
type startReport struct {
	Channels  int
	RSS       int64         `json:"rss_bytes"`
	Disk      int64         `json:"disk_bytes"`
	Listening float64       `json:"listening_seconds"`
	History   float64       `json:"first_history_seconds"`
	Publish   float64       `json:"first_publish_seconds"`
	Again     int64         `json:"rss_bytes_after_start"`
	CPU       *float64      `json:"server_cpu_seconds"`
	Latency   *benchLatency `json:"latency_ms"`
}
