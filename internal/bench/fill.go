//go:build linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/wire"
)

const (
	// maxStoredChannels bounds what is written before a start: a few GB.
	maxStoredChannels = 10_000_000
	// fillConnections are those that write, each with as many publishes on their way as a server takes of one.
	fillConnections = 4
	fillUnderway    = 256
	// readAgain is how many channels are read after the start, spread over all.
	readAgain = 1000
)

// data is the message of channel i.
func (b *Start) data(i int) []byte { return crowd.Data(b.Size, 0, uint64(i)) }

func (b *Start) publish(ctx context.Context, c *client.Client, i int) error {
	_, err := c.Publish(ctx, crowd.ChannelName(b.Channel, i, b.Channels+1), client.Message{Data: wire.JSONData(b.data(i))}, client.PublishOptions{})
	return err
}

// fill publishes one message in each channel.
func (b *Start) fill(ctx context.Context, t *target, f figures, p *progress) error {
	var next atomic.Int64
	defer p.watch(func() string {
		return fmt.Sprintf("%d of %d channels are filled", min(int(next.Load()), b.Channels), b.Channels)
	})()
	began := time.Now()
	failures := make([]error, fillConnections)
	var filling sync.WaitGroup
	for i := range failures {
		filling.Go(func() { failures[i] = b.fillFrom(ctx, t, &next) })
	}
	filling.Wait()
	f[publishesRate] = float64(b.Channels) / time.Since(began).Seconds()
	return errors.Join(failures...)
}

// fillFrom fills channels over one connection, while there are any left.
func (b *Start) fillFrom(ctx context.Context, t *target, next *atomic.Int64) error {
	c, err := client.Connect(ctx, baseURL(t.url), client.Options{})
	if err != nil {
		return fmt.Errorf("connect a publisher: %w", err)
	}
	defer closeClient(c)
	failures := make([]error, fillUnderway)
	var publishing sync.WaitGroup
	for w := range failures {
		publishing.Go(func() {
			for failures[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= b.Channels {
					return
				}
				failures[w] = b.publish(ctx, c, i)
			}
		})
	}
	publishing.Wait()
	return errors.Join(failures...)
}

// readBack reads channel i, and returns 1 if it does not hold exactly what was written.
func (b *Start) readBack(ctx context.Context, c *client.Client, i int) (wrong int, err error) {
	page, err := c.History(ctx, crowd.ChannelName(b.Channel, i, b.Channels+1), client.HistoryOptions{Limit: 2})
	if err != nil {
		return 0, err
	}
	if len(page.Publications) != 1 || !bytes.Equal(page.Publications[0].Data.Body, b.data(i)) {
		return 1, nil
	}
	return 0, nil
}

// readAround reads channels all over the store, one after another.
func (b *Start) readAround(ctx context.Context, c *client.Client, f figures, p *progress) error {
	p.say("reading %d channels", min(readAgain, b.Channels))
	h := crowd.NewHistogram()
	for n := range min(readAgain, b.Channels) {
		stamp := crowd.Stamp()
		wrong, err := b.readBack(ctx, c, n*b.Channels/min(readAgain, b.Channels))
		if err != nil {
			return err
		}
		h.Record(crowd.Stamp() - stamp)
		f[errorCount] += float64(wrong)
	}
	f.setPercentiles(latency, h)
	return nil
}

// closeClient ends a client of which nothing is under way.
func closeClient(c *client.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = c.Close(ctx) // all that it asked for was answered
}

// storedBytes returns what the files below dir take on disk.
func storedBytes(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // the store has just removed it
			return nil
		}
		if err == nil {
			sum += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	})
	return sum, err
}
