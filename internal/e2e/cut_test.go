package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// 100,000 numbered messages go to 50 clients over a network that cuts every connection at a random byte. Retention
// exceeds the run, so each client must see exactly what was committed, in order, without a reset; and each number must
// be committed once, whatever happened to its publisher's connection.
func TestCuts(t *testing.T) {
	const (
		channels    = 20
		perChannel  = 5000
		clients     = 50
		perClient   = 2 // channels that a client listens to
		atOnce      = 16
		seed        = 1
		slowClients = 10 // have so small a queue that they read on from the log
	)
	server := startProgram(t, "")
	network := startCutter(t, server.addr, seed, 200, 200_000, 10)
	ledgers, origins := makeChannels(t, server, channels)
	crew := newCrew(t)
	started := time.Now()
	var readers []*reader
	behind := newLagging()
	for i := range clients {
		opts := client.Options{Logger: slog.New(behind)}
		if i < slowClients {
			opts.QueueEvents = 8
		}
		c := connect(t, network.url(), opts)
		for j := range perClient {
			l, since := ledgers[(i*perClient+j)%channels], origins[(i*perClient+j)%channels]
			r := &reader{ledger: l}
			readers = append(readers, r)
			crew.do(func(ctx context.Context) error { return r.read(ctx, c, since, perChannel) })
		}
	}
	for _, l := range ledgers {
		c := connect(t, network.url(), client.Options{})
		crew.do(func(ctx context.Context) error {
			if err := publish(ctx, c, l, perChannel, atOnce); err != nil {
				return err
			}
			return l.complete(perChannel)
		})
	}
	crew.wait()
	sum := tally(t, ledgers, readers)
	cuts := network.cuts.Load()
	t.Logf("%d messages, %d deliveries to %d clients, %d resets, %v", channels*perChannel, sum.deliveries, clients, sum.resets,
		time.Since(started).Round(time.Millisecond))
	t.Logf("%d cuts, %d of them silent; %d publishes answered on a later try; %d times a client fell behind and caught up",
		cuts, network.silences.Load(), sum.repeats, behind.times.Load())
	if want := clients * perClient * perChannel; sum.deliveries != want || sum.resets != 0 {
		t.Errorf("%d deliveries and %d resets, want %d and none", sum.deliveries, sum.resets, want)
	}
	if cuts < 500 || sum.repeats == 0 || behind.times.Load() == 0 {
		t.Error("the network and the clients were too good for this test to mean much")
	}
}

// makeChannels returns the ledgers of n channels and the position before the first publication of each.
func makeChannels(t *testing.T, server *program, n int) (ledgers []*ledger, origins []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := connect(t, server.url(), client.Options{})
	for i := range n {
		l := newLedger(fmt.Sprintf("log:%d", i))
		sub, err := c.Subscribe(ctx, l.channel, client.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ledgers, origins = append(ledgers, l), append(origins, sub.Position())
		sub.Close()
	}
	return ledgers, origins
}
