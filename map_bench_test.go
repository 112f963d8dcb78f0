package earshot_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/earshot/earshot"
)

// BenchmarkCommit commits 256 bytes, synced, from 32 goroutines for each core: keys of one map, and messages to one log.
func BenchmarkCommit(b *testing.B) {
	srv := startForBench(b)
	message := earshot.JSON(strings.Repeat("x", 254))
	for _, one := range []struct {
		name   string
		commit func(ctx context.Context, n int64) error
	}{
		{"set", func(ctx context.Context, n int64) error {
			_, err := srv.Set(ctx, "map:a", fmt.Sprint(n%1_000), message, earshot.SetOptions{})
			return err
		}},
		{"publish", func(ctx context.Context, _ int64) error {
			_, err := srv.Publish(ctx, "log:a", message)
			return err
		}},
	} {
		b.Run(one.name, func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := one.commit(b.Context(), n.Add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// startForBench runs a server with a map of at most 1,000 keys until the benchmark ends.
func startForBench(b *testing.B) *earshot.Server {
	b.Helper()
	namespaces := withMaps()
	keyed := namespaces["map"]
	keyed.MaxKeys = 1_000
	namespaces["map"] = keyed
	srv, err := earshot.New(earshot.Options{Data: b.TempDir(), Namespaces: namespaces, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return srv
}
