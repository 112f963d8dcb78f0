//go:build linux

package bench

import "slices"

const (
	memberCount  metric = "members"
	watcherCount metric = "watchers"
	joinKnown           = "join_known_ms"
	leaveKnown          = "leave_known_ms"
)

// presenceMetrics are what a join, or a leave, costs.
type presenceMetrics struct{ cpu, engineCPU, bytes metric }

var (
	joinMetrics  = presenceMetrics{"server_cpu_us_per_join", "engine_cpu_us_per_join", "bytes_per_join_and_watcher"}
	leaveMetrics = presenceMetrics{"server_cpu_us_per_leave", "engine_cpu_us_per_leave", "bytes_per_leave_and_watcher"}
)

var presenceDescriptions = slices.Concat(
	[]description{{memberCount, "members", 0, false}, {watcherCount, "watchers", 0, false}},
	joinMetrics.described("join"), leaveMetrics.described("leave"),
	percentiles(joinKnown, "until every watcher knows of a join"),
	percentiles(leaveKnown, "until every watcher knows of a leave"),
)

func (m presenceMetrics) described(what string) []description {
	return []description{
		{m.cpu, "server CPU for a " + what + ", us", 1, true},
		{m.engineCPU, "CPU of Redis for a " + what + ", us", 1, true},
		{m.bytes, "bytes to a watcher for a " + what, 1, true},
	}
}
