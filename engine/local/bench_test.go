package local

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// countingFeed is a node that listens and does nothing.
type countingFeed struct{ fed atomic.Int64 }

func (f *countingFeed) Committed(_ string, pubs []*engine.Publication) { f.fed.Add(int64(len(pubs))) }

func (f *countingFeed) Restarted(string, engine.Position) {}

var benchRules = engine.Rules{Kind: engine.KindLog, MaxPublications: 100}

// benchEngine runs an engine on the real disk.
func benchEngine(b *testing.B, rules engine.Rules) *Engine {
	b.Helper()
	e, err := Open(Options{
		Dir: b.TempDir(), Rules: func(string) engine.Rules { return rules },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	ran := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() { ran <- e.Run(context.Background(), &countingFeed{}) })
	b.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			b.Error(err)
		}
		running.Wait()
		if err := <-ran; err != nil {
			b.Error(err)
		}
	})
	return e
}

// publisher publishes messages of 256 bytes, each with a key, and waits for each answer.
type publisher struct {
	e      *Engine
	name   string
	data   []byte
	answer chan error
}

func newPublisher(e *Engine, name string) *publisher {
	data := fmt.Appendf(nil, "%q", make([]byte, 60))[:256]
	data[255] = '"'
	return &publisher{e: e, name: name, data: data, answer: make(chan error, 1)}
}

func (p *publisher) publish(channel string, n int) error {
	p.e.Publish(context.Background(), engine.Proposal{
		Channel: channel, User: p.name, Idem: p.name + "/" + strconv.Itoa(n),
		Message: wire.Message{Data: wire.JSONData(p.data)},
	}, func(_ engine.Receipt, err error) { p.answer <- err })
	return <-p.answer
}

// processCPU is the CPU time that the process used, the store's background work and the kernel's included. On a machine that
// has other things to do it tells more than the time that passed.
func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 64} {
		for _, channels := range []int{1, 10_000} {
			b.Run(fmt.Sprintf("publishers=%d/channels=%d", publishers, channels), func(b *testing.B) {
				benchPublish(b, publishers, channels)
			})
		}
	}
}

func benchPublish(b *testing.B, publishers, channels int) {
	e := benchEngine(b, benchRules)
	names := make([]string, channels)
	for i := range names {
		names[i] = fmt.Sprintf("bench:%d", i)
		if _, err := e.Subscribe(context.Background(), names[i]); err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	began := processCPU()
	b.ResetTimer()
	for i := range publishers {
		p := newPublisher(e, fmt.Sprintf("p%d", i))
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				if err := p.publish(names[n%channels], n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	b.ReportMetric(float64((processCPU()-began).Microseconds())/float64(b.N), "cpu-us/op")
}

// BenchmarkHistory reads the newest 20 of 100 publications: in one channel from memory, and in one after another of
// 10,000 channels, none of which is in memory, from disk, once the store has settled.
func BenchmarkHistory(b *testing.B) {
	b.Run("from=memory", func(b *testing.B) {
		e := benchEngine(b, benchRules)
		p := newPublisher(e, "p")
		for n := range 100 {
			if err := p.publish("bench:0", n); err != nil {
				b.Fatal(err)
			}
		}
		benchRead(b, e, 1)
	})
	b.Run("from=disk", func(b *testing.B) {
		loose := benchRules
		loose.Durability = engine.DurabilityMayLoseTail
		e := benchEngine(b, loose)
		const channels = 10_000
		fillChannels(b, e, channels, 100)
		if err := e.store.db.Compact(context.Background(), []byte{0}, []byte{255}, false); err != nil {
			b.Fatal(err)
		}
		e.table = newTable(1) // nothing stays in memory
		benchRead(b, e, channels)
	})
}

func fillChannels(b *testing.B, e *Engine, channels, each int) {
	b.Helper()
	data := newPublisher(e, "p").data
	var answers sync.WaitGroup
	answers.Add(channels * each)
	for n := range channels * each {
		e.Publish(context.Background(), engine.Proposal{
			Channel: fmt.Sprintf("bench:%d", n%channels), Message: wire.Message{Data: wire.JSONData(data)},
		}, func(_ engine.Receipt, err error) {
			defer answers.Done()
			if err != nil {
				b.Error(err)
			}
		})
	}
	answers.Wait()
}

func benchRead(b *testing.B, e *Engine, channels int) {
	b.ReportAllocs()
	began := processCPU()
	for n := 0; b.Loop(); n++ {
		page, err := e.History(context.Background(), fmt.Sprintf("bench:%d", n*7919%channels), engine.Query{Limit: 20})
		if err != nil || len(page.Publications) != 20 {
			b.Fatalf("%d publications, %v", len(page.Publications), err)
		}
	}
	b.ReportMetric(float64((processCPU()-began).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
}
