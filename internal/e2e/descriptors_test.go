package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// More clients come than the process may open descriptors for, while it writes so much that its store needs new files, too.
// Those that are there go on and lose nothing; those that come are refused with a word; the process does not spin; and when
// some have left, others get in.
func TestDescriptorsExhausted(t *testing.T) {
	const limit = 120
	run := testkit.Begin("L8")
	server := startWith(t, setup{config: keeping(1_000_000), under: []string{"prlimit", fmt.Sprintf("--nofile=%d:%d", limit, limit)}})
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	messages := testkit.Scale(3000, 20_000)
	reader := connect(t, server.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return follow(ctx, reader, l, origin, uint64(messages)) })
	publisher := connect(t, server.url(), client.Options{})

	flood := newFlood(t, server.url())
	flood.rise(3 * limit)
	if flood.refused == 0 || len(flood.open) == 0 {
		t.Fatalf("%d connections were opened, and %d refused with a word", len(flood.open), flood.refused)
	}
	before, began := server.cpu(t), time.Now()
	<-time.After(testkit.Scale(2*time.Second, 20*time.Second))
	idle := server.cpu(t) - before
	if share := float64(idle) / float64(time.Since(began)); share > 0.1 {
		t.Errorf("the server used %.0f %% of a processor while there was nothing to do", 100*share)
	}
	crew.do(func(ctx context.Context) error { return publishLarge(ctx, publisher, l, messages) })
	crew.wait()

	opened, refused := len(flood.open), flood.refused
	flood.fall()
	testkit.Eventually(t, "others get in", func() bool { return flood.dial() == nil })
	server.kill()
	if said := server.errs.String(); strings.Contains(said, "too many open files") {
		t.Errorf("the server ran out of descriptors: %s", said)
	}
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d descriptors, %d connections, %d refused, %d ms of CPU", limit, opened, refused, idle.Milliseconds())
	wantAll(t, run.Totals, messages, messages)
	run.End(t)
}

// publishLarge publishes so much that the store must write new files.
func publishLarge(ctx context.Context, c *client.Client, l *checker.Ledger, n int) error {
	large := strings.Repeat("x", 20_000)
	for range n {
		if err := publishText(ctx, c, l, large); err != nil {
			return err
		}
	}
	return nil
}

// flood is many connections that do nothing.
type flood struct {
	t       *testing.T
	url     string
	open    []*websocket.Conn
	refused int // with 503 and Retry-After
	http    *http.Client
}

func newFlood(t *testing.T, url string) *flood {
	f := &flood{t: t, url: strings.Replace(url, "http", "ws", 1) + "/live/websocket"}
	f.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(f.fall)
	return f
}

// rise tries to open n connections.
func (f *flood) rise(n int) {
	f.t.Helper()
	for range n {
		_ = f.dial() // counts
	}
}

// dial opens one connection.
func (f *flood) dial() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, f.url, &websocket.DialOptions{
		HTTPClient: f.http, Subprotocols: []string{wire.JSON.Subprotocol()},
	})
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
			f.refused++
		}
		return err
	}
	f.open = append(f.open, conn)
	return nil
}

// fall ends the connections.
func (f *flood) fall() {
	for _, c := range f.open {
		c.CloseNow()
	}
	f.open = nil
}
