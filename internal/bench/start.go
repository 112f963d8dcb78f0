//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/bench/process"
)

// Start fills a server with channels, kills it, and starts it again.
type Start struct {
	Common
	Backend
	Channels int           `default:"1000000" help:"Channels, each with one message."`
	Channel  string        `default:"log:bench" help:"What the channels' names begin with. It must retain."`
	Size     int           `default:"128" help:"Bytes of data in a message."`
	Settle   time.Duration `default:"5s" help:"How long the server rests before its memory is read and it is killed."`
}

// Help is printed below the flags.
func (Start) Help() string {
	return `The server is killed with SIGKILL, as a crash would end it. The times are from the moment at which the new one is started,
on the same data: until it listens, until a client has the first page of history, and until a client's first publish is
answered. CPU is what the server has used until the first history. Latency is that of reading channels one after another, all over the store, once each. All that is read must be what
was written. With --engine, Redis is not killed; its memory is that with the idempotency ids of the messages, which it forgets after
5 minutes.`
}

// Validate is called by kong after parsing.
func (b *Start) Validate() error {
	return errors.Join(b.Common.Validate(), b.validateSides(), b.validateEngine(b.URL),
		inRange("--channels", b.Channels, 1, maxStoredChannels),
		inRange("--size", b.Size, crowd.MinDataBytes, maxDataBytes),
		lasting("--settle", b.Settle, 0))
}

func (b *Start) validateSides() error {
	if b.URL != "" || b.Baseline != "" {
		return errors.New("--url, --baseline: this bench kills the server, and can only do that to its own")
	}
	return nil
}

// Run measures and prints the report.
func (b *Start) Run(ctx context.Context, stdout io.Writer) error {
	b.backend = &b.Backend
	return b.runServers(ctx, "start", b.measure, stdout)
}

func (b *Start) measure(ctx context.Context, t *target, p *progress) (figures, error) {
	f := figures{errorCount: 0, channelCount: float64(b.Channels)}
	if err := b.fill(ctx, t, f, p); err != nil {
		return nil, err
	}
	if err := p.wait(ctx, b.Settle, "resting"); err != nil {
		return nil, err
	}
	if err := errors.Join(b.weigh(t, f), b.weighKeeper(ctx, t, f)); err != nil {
		return nil, err
	}
	p.say("killing the server and starting it again")
	t.server.kill()
	return f, b.startAgain(ctx, t, f, p)
}

// weigh reads what the channels take in memory and on disk.
func (b *Start) weigh(t *target, f figures) error {
	resident, err := process.ResidentBytes(t.pid)
	if err != nil {
		return err
	}
	dir := t.data
	if t.keeper != nil && t.keeper.data != "" {
		dir = t.keeper.data
	}
	stored, err := storedBytes(dir)
	if err != nil {
		return err
	}
	f[residentBytes], f[storeBytes] = float64(resident), float64(stored)
	return nil
}

// weighKeeper reads what the channels take in Redis, if that keeps them.
func (b *Start) weighKeeper(ctx context.Context, t *target, f figures) error {
	k := t.keeper
	if k == nil {
		return nil
	}
	bytes, err := k.memory(ctx)
	if err != nil {
		return err
	}
	f[engineBytes], f[engineBytesPerChan] = float64(bytes), float64(bytes-k.bytesWithNone)/float64(b.Channels)
	if k.pid == 0 {
		return nil
	}
	resident, err := process.ResidentBytes(k.pid)
	f[engineResident] = float64(resident)
	return err
}

// startAgain starts the killed server and times what a client gets from it.
func (b *Start) startAgain(ctx context.Context, t *target, f figures, p *progress) error {
	began := time.Now()
	if err := t.start(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	f[listenSeconds] = time.Since(began).Seconds()
	c, err := client.Connect(ctx, baseURL(t.url), client.Options{})
	if err != nil {
		return fmt.Errorf("connect a reader: %w", err)
	}
	defer closeClient(c)
	wrong, err := b.readBack(ctx, c, b.Channels-1)
	if err != nil {
		return err
	}
	f[historySeconds] = time.Since(began).Seconds()
	f[errorCount] += float64(wrong)
	used, err := t.usage()
	if err != nil {
		return err
	}
	f[cpuSeconds] = used.cpu.Seconds()
	if err := b.publish(ctx, c, b.Channels); err != nil {
		return err
	}
	f[publishSeconds] = time.Since(began).Seconds()
	if err := b.readAround(ctx, c, f, p); err != nil {
		return err
	}
	resident, err := process.ResidentBytes(t.pid)
	f[residentAgain] = float64(resident)
	return err
}
