package redis

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// BenchmarkPublish publishes 256 bytes with ids to logs that keep 100, while the node is fed every channel of the small case.
// It states publishes per second and the CPU time of Redis for each.
func BenchmarkPublish(b *testing.B) {
	for _, policy := range []string{"everysec", "always"} {
		for _, publishers := range []int{1, 64} {
			for _, channels := range []int{1, 10_000} {
				b.Run(fmt.Sprintf("fsync=%s/publishers=%d/channels=%d", policy, publishers, channels), func(b *testing.B) {
					s := startServer(b, "--save", "", "--appendonly", "yes", "--appendfsync", policy)
					benchmarkPublish(b, s, publishers, channels)
				})
			}
		}
	}
}

func benchmarkPublish(b *testing.B, s *server, publishers, channels int) {
	rules := func(string) engine.Rules { return engine.Rules{Kind: engine.KindLog, MaxPublications: 100} }
	n := startNode(b, Options{URL: s.url(), Rules: rules})
	data := wire.BinaryData(make([]byte, 256))
	if channels == 1 {
		n.listen("log:0")
	}
	before := s.cpuSeconds()
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			for j := i; j < b.N; j += publishers {
				p := engine.Proposal{
					Channel: "log:" + strconv.Itoa(j%channels), Idem: strconv.Itoa(j), Message: wire.Message{Data: data},
				}
				if _, err := engine.PublishWait(context.Background(), n, p); err != nil {
					b.Errorf("publish: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	b.ReportMetric((s.cpuSeconds()-before)/float64(b.N)*1e6, "redis-us/op")
}

// cpuSeconds returns the CPU time that the server has used.
func (s *server) cpuSeconds() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	const ticksPerSecond = 100
	return (user + system) / ticksPerSecond
}

// BenchmarkHistory reads the 20 messages that a reader has missed.
func BenchmarkHistory(b *testing.B) {
	s := startServer(b, "--save", "")
	n := startNode(b, Options{URL: s.url()})
	var at []engine.Position
	for range 100 {
		at = append(at, n.say("log:a", strings.Repeat("x", 256)))
	}
	for _, readers := range []int{1, 64} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			var all sync.WaitGroup
			for i := range readers {
				all.Go(func() {
					for j := i; j < b.N; j += readers {
						if page := n.history("log:a", engine.Query{Since: &at[79], Limit: 128}); len(page.Publications) != 20 {
							b.Errorf("read %d", len(page.Publications))
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "recoveries/s")
		})
	}
}
