//go:build linux

package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// metric is the name of a figure: its key in the JSON output, where a dot stands for an object in an object.
type metric string

const (
	connections      metric = "connections"
	messages         metric = "messages"
	deliveries       metric = "deliveries"
	deliveriesRate   metric = "deliveries_per_second"
	publishesRate    metric = "publishes_per_second"
	cpuPerMillion    metric = "server_cpu_seconds_per_million"
	perWrite         metric = "deliveries_per_write"
	cpuPerPublishes  metric = "cpu_seconds_per_million_publishes"
	cpuPerConnection metric = "server_cpu_us_per_connection"
	// Of the Redis that the server keeps its data in.
	engineCPUPerPublish metric = "engine_cpu_us_per_publish"
	engineCPUSeconds    metric = "engine_cpu_seconds"
	engineBytes         metric = "engine_memory_bytes"
	engineBytesPerChan  metric = "engine_memory_bytes_per_channel"
	engineResident      metric = "engine_rss_bytes"
	cpuSeconds          metric = "server_cpu_seconds"
	cpuPercentIdle      metric = "cpu_percent_idle"
	heapPerConn         metric = "heap_bytes_per_connection"
	objectsPerConn      metric = "heap_objects_per_connection"
	stackPerConn        metric = "stack_bytes_per_connection"
	broadcastSeconds    metric = "broadcast_seconds"
	collections         metric = "collections"
	collectionCPU       metric = "cpu_seconds_per_collection"
	collectionPause     metric = "longest_pause_ms"
	rssPerConnection    metric = "rss_bytes_per_connection"
	rssWithNone         metric = "rss_bytes_with_none"
	kernelPerConn       metric = "kernel_bytes_per_connection"
	arrivalSeconds      metric = "connect_seconds"
	arrivalRate         metric = "connects_per_second"
	recovered           metric = "recovered"
	recoverSeconds      metric = "recover_seconds"
	recoverRate         metric = "recoveries_per_second"
	toStuck             metric = "deliveries_to_stuck"
	channelCount        metric = "channels"
	residentBytes       metric = "rss_bytes"
	storeBytes          metric = "disk_bytes"
	listenSeconds       metric = "listening_seconds"
	historySeconds      metric = "first_history_seconds"
	publishSeconds      metric = "first_publish_seconds"
	residentAgain       metric = "rss_bytes_after_start"
	gapCount            metric = "gaps_told"
	errorCount          metric = "errors"
	latency                    = "latency_ms"
	latencyBefore              = "latency_before_ms"
	broadcastLatency           = "broadcast_latency_ms"
	arrivalLatency             = "connect_latency_ms"
)

// description is how a metric is shown.
type description struct {
	metric
	label   string
	decimal int  // digits after the point
	compare bool // a ratio to the baseline says something
}

// descriptions are all metrics in the order in which they are printed.
var descriptions = slices.Concat([]description{
	{connections, "connections", 0, false},
	{messages, "messages", 0, false},
	{deliveries, "deliveries", 0, false},
	{deliveriesRate, "deliveries/s", 0, true},
	{publishesRate, "publishes/s", 0, true},
	{cpuPerMillion, "server CPU-s per million deliveries", 3, true},
	{perWrite, "deliveries for each write of the server", 2, false},
	{cpuPerPublishes, "CPU-s per million publishes", 2, true},
	{engineCPUPerPublish, "CPU of Redis for a publish, us", 1, true},
	{cpuPerConnection, "server CPU per connection, us", 1, true},
	{cpuSeconds, "server CPU, s", 2, true},
	{engineCPUSeconds, "CPU of Redis, s", 2, true},
	{cpuPercentIdle, "CPU idle, % of a core", 2, true},
	{rssPerConnection, "RSS per connection, bytes", 0, true},
	{heapPerConn, "heap per connection, bytes", 0, true},
	{objectsPerConn, "heap objects per connection", 1, true},
	{stackPerConn, "stacks per connection, bytes", 0, true},
	{rssWithNone, "RSS without connections, bytes", 0, true},
	{kernelPerConn, "kernel memory per connection, both ends, bytes", 0, false},
	{arrivalSeconds, "until all are subscribed, s", 3, true},
	{arrivalRate, "connections/s", 0, true},
	{recovered, "recovered", 0, false},
	{recoverSeconds, "until all have recovered, s", 3, true},
	{recoverRate, "recoveries/s", 0, true},
	{broadcastSeconds, "a broadcast to all, s", 3, true},
	{collections, "collections of the heap, after all were there", 0, false},
	{collectionCPU, "CPU of a collection, s", 3, true},
	{collectionPause, "longest pause of the program for the collector, ms", 3, true},
	{toStuck, "deliveries to the stuck reader, later", 0, false},
	{channelCount, "channels with one message", 0, false},
	{residentBytes, "RSS of the server that was filled, bytes", 0, false},
	{storeBytes, "on disk, bytes", 0, false},
	{engineBytes, "memory in use by Redis, bytes", 0, false},
	{engineBytesPerChan, "memory of Redis for a channel, bytes", 0, false},
	{engineResident, "RSS of Redis, bytes", 0, false},
	{listenSeconds, "from the start until it listens, s", 3, false},
	{historySeconds, "until the first history is answered, s", 3, false},
	{publishSeconds, "until the first publish is answered, s", 3, false},
	{residentAgain, "RSS after that, bytes", 0, false},
},
	presenceDescriptions,
	percentiles(latency, "latency"),
	percentiles(latencyBefore, "latency before"),
	percentiles(broadcastLatency, "latency of the broadcast"),
	percentiles(arrivalLatency, "latency of a connection"),
	[]description{{gapCount, "gaps that a listener was told of", 0, false}, {errorCount, "errors", 0, false}},
)

// ranks are the percentiles that are reported.
var ranks = []struct {
	name    string
	percent float64
}{{"p50", 50}, {"p99", 99}, {"p999", 99.9}}

func percentiles(group, label string) (all []description) {
	for _, r := range ranks {
		all = append(all, description{metric(group + "." + r.name), fmt.Sprintf("%s %s, ms", label, r.name), 3, true})
	}
	return all
}

// figures are what one side of a pair, or all of them, came to.
type figures map[metric]float64

// setPercentiles sets the metrics of a group, if there is anything in h.
func (f figures) setPercentiles(group string, h *crowd.Histogram) {
	if h.Count() == 0 {
		return
	}
	for _, r := range ranks {
		f[metric(group+"."+r.name)] = h.Milliseconds(r.percent)
	}
}

// median returns the median of each metric that all have.
func median(all []figures) figures {
	result := make(figures)
	for name := range all[0] {
		var values []float64
		for _, f := range all {
			if v, ok := f[name]; ok {
				values = append(values, v)
			}
		}
		if len(values) == len(all) {
			result[name] = middle(values)
		}
	}
	return result
}

// middle returns the middle value; of an even number of values, the lower of the two, so that counts stay whole.
func middle(values []float64) float64 {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// ratios returns f over base, for what can be compared.
func (f figures) ratios(base figures) figures {
	result := make(figures)
	for _, d := range descriptions {
		mine, ok := f[d.metric]
		theirs, ok2 := base[d.metric]
		if d.compare && ok && ok2 && theirs > 0 {
			result[d.metric] = mine / theirs
		}
	}
	return result
}

// nested returns f as JSON objects.
func (f figures) nested() map[string]any {
	object := make(map[string]any, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		group, key, grouped := strings.Cut(string(name), ".")
		if !grouped {
			object[group] = f[name]
			continue
		}
		inner, ok := object[group].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			object[group] = inner
		}
		inner[key] = f[name]
	}
	return object
}
