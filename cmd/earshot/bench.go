//go:build linux

package main

import (
	"context"
	"io"
	"os"

	"github.com/earshot/earshot/internal/bench"
	"github.com/earshot/earshot/internal/bench/bare"
	"github.com/earshot/earshot/internal/bench/crowd"
)

type benchCommand struct {
	Idle     bench.Idle     `cmd:"" help:"Memory and CPU of connections on which nothing happens."`
	Connect  bench.Connect  `cmd:"" help:"Many connections as fast as possible."`
	Fanout   bench.Fanout   `cmd:"" help:"One channel with many subscribers."`
	Publish  bench.Publish  `cmd:"" help:"Durable publishes over the Go API."`
	Recover  bench.Recover  `cmd:"" help:"Many clients that come back at once and have missed messages."`
	Latency  bench.Latency  `cmd:"" help:"A small channel beside a broadcast to many."`
	Sessions bench.Sessions `cmd:"" help:"Very many sessions in this process, over connections in memory."`
	Presence bench.Presence `cmd:"" help:"Members of a channel with many, who come and go."`
	Slow     bench.Slow     `cmd:"" help:"One reader that does not read, among many."`
	Start    bench.Start    `cmd:"" help:"A server with very many channels that is killed and started again."`

	Bare  benchBare  `cmd:"" hidden:""`
	Crowd benchCrowd `cmd:"" hidden:""`
	TLS   benchTLS   `cmd:"" name:"tls" hidden:""`
}

// benchBare is the process of the baseline "raw".
type benchBare struct{}

// Run serves until ctx ends.
func (benchBare) Run(ctx context.Context, stdout io.Writer) error { return bare.Serve(ctx, stdout) }

// benchCrowd is a process of a bench's load.
type benchCrowd struct{}

// Run does what the bench asks on standard input.
func (benchCrowd) Run(ctx context.Context, stdout io.Writer) error {
	return crowd.Serve(ctx, os.Stdin, stdout)
}
