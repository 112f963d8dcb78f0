//go:build linux

package crowd

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/internal/bench/bare"
)

// patience ends a test that hangs.
const patience = 30 * time.Second

// startBare runs the bare server in the test's process and returns its address.
func startBare(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	said, say := io.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := bare.Serve(ctx, say); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	line := make([]byte, 256)
	n, err := said.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "listening on "))
}

// bareDialect is what the bare server's clients speak.
var bareDialect = Dialect{Publish: `{"data":{data}}`, PublishPath: bare.PublishPath}

func loadProcess() (*exec.Cmd, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asLoadProcess+"=1")
	return cmd, nil
}

// arrive has all clients connect.
func arrive(t *testing.T, c Crowd, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a, err := c.Arrive(ctx)
	if err != nil || a.Arrived != want || a.Failed != 0 || a.Each.Count() != int64(want) || a.Took <= 0 {
		t.Fatalf("arrivals %+v, %v", a, err)
	}
	if got := c.Arrived(); got != int64(want) {
		t.Fatalf("counted %d arrivals of %d", got, want)
	}
}

// await waits until the crowd had so many deliveries.
func await(t *testing.T, c Crowd, deliveries int64) {
	t.Helper()
	late := time.After(patience)
	for c.Delivered() < deliveries {
		select {
		case <-c.News():
		case <-late:
			t.Fatalf("%d deliveries of %d", c.Delivered(), deliveries)
		}
	}
}

func publish(t *testing.T, url string, messages, size int) {
	t.Helper()
	p, err := NewPublisher(t.Context(), url, bareDialect, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range messages {
		if err := p.Publish(size); err != nil {
			t.Fatal(err)
		}
	}
}

// A crowd counts every delivery once, in one process and in several.
func TestCrowdCountsDeliveries(t *testing.T) {
	for name, most := range map[string]int{"one process": 100, "several processes": 30} {
		t.Run(name, func(t *testing.T) {
			url := startBare(t)
			const clients, messages = 70, 40
			c, err := newCrowd(Order{URL: url, Dialect: bareDialect, Clients: clients, Underway: 16, Loops: 2}, loadProcess, most)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			arrive(t, c, clients)
			publish(t, url, messages, 2000)
			await(t, c, clients*messages)
			got, err := c.Tally()
			if err != nil || got.Deliveries != clients*messages || got.Errors != 0 || got.Latency.Count() != clients*messages {
				t.Errorf("tally %+v, %v", got, err)
			}
			if p50 := got.Latency.Milliseconds(50); p50 <= 0 || p50 > 10_000 {
				t.Errorf("half the deliveries took %v ms", p50)
			}
			if again, err := c.Tally(); err != nil || again.Deliveries != 0 {
				t.Errorf("a second tally has %+v, %v", again, err)
			}
		})
	}
}

func TestStuckClientsReadLater(t *testing.T) {
	url := startBare(t)
	c, err := New(Order{URL: url, Dialect: bareDialect, Clients: 5, Stuck: 2}, loadProcess)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	arrive(t, c, 5)
	publish(t, url, 3, 64)
	await(t, c, 3*3)
	got, err := c.Tally()
	if err != nil || got.Deliveries != 9 || got.ToStuck != 0 {
		t.Fatalf("tally %+v, %v", got, err)
	}
	if err := c.Unstick(); err != nil {
		t.Fatal(err)
	}
	late := time.After(patience)
	for toStuck := int64(0); toStuck < 6; toStuck += got.ToStuck {
		if got, err = c.Tally(); err != nil || got.Errors > 0 {
			t.Fatalf("tally %+v, %v", got, err)
		}
		select {
		case <-late:
			t.Fatalf("the stuck clients have read %d messages", toStuck)
		case <-time.After(time.Millisecond):
		}
	}
}

// What goes wrong is counted, and told.
func TestFailuresAreCounted(t *testing.T) {
	url := startBare(t)
	waits := bareDialect
	waits.Ready = "never"
	for name, tc := range map[string]struct {
		order  Order
		reason string
	}{
		"nobody there": {Order{URL: "http://127.0.0.1:1/", Clients: 3}, "connection refused"},
		"no answer":    {Order{URL: url, Dialect: waits, Clients: 3}, "3 did not arrive in time"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := New(tc.order, loadProcess)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			a, err := c.Arrive(ctx)
			if err != nil || a.Arrived != 0 || a.Failed != 3 || !strings.Contains(a.Reason, tc.reason) {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// Deliveries that are repeated or left out are errors.
func TestOrderIsChecked(t *testing.T) {
	l := &loop{order: &Order{Each: 1}, tally: newTally(), counters: newCounters(1)}
	c := &client{stage: stageArrived}
	for _, seq := range []uint64{7, 8, 8, 9, 11} {
		if err := l.message(c, Data(64, Stamp(), seq)); err != nil {
			t.Fatal(err)
		}
	}
	if l.tally.Errors != 2 || l.tally.Deliveries != 5 || l.tally.Reason != "publication 8 came after 8" {
		t.Errorf("%+v", l.tally)
	}
}
