package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// island is a network namespace behind a pair of virtual devices, whose link can be taken down: then packets vanish, and
// nobody is told.
type island struct {
	t          *testing.T
	name       string
	dev        string // its device; that of the mainland has the same name with an m
	host, home string // addresses: of the island, and of the mainland on that link
}

func newIsland(t *testing.T) *island {
	t.Helper()
	needRoot(t, "ip")
	id := os.Getpid()
	i := &island{
		t: t, name: fmt.Sprintf("earshot%d", id), dev: fmt.Sprintf("ea%d", id),
		// Of the block for tests of networks (RFC 2544).
		host: fmt.Sprintf("198.18.%d.1", id%250), home: fmt.Sprintf("198.18.%d.2", id%250),
	}
	if out, err := exec.Command("ip", "netns", "add", i.name).CombinedOutput(); err != nil {
		t.Skipf("cannot make a network namespace here: %v: %s", err, out)
	}
	t.Cleanup(func() { command(t, "ip", "netns", "del", i.name) })
	command(t, "ip", "link", "add", i.dev+"m", "type", "veth", "peer", "name", i.dev, "netns", i.name)
	command(t, "ip", "addr", "add", i.home+"/30", "dev", i.dev+"m")
	command(t, "ip", "link", "set", i.dev+"m", "up")
	command(t, "ip", "-n", i.name, "addr", "add", i.host+"/30", "dev", i.dev)
	command(t, "ip", "-n", i.name, "link", "set", "lo", "up")
	i.set("up")
	return i
}

// set takes the island's link "up" or "down".
func (i *island) set(state string) {
	i.t.Helper()
	command(i.t, "ip", "-n", i.name, "link", "set", i.dev, state)
}

// under is the command that runs another one on the island.
func (i *island) under() []string { return []string{"ip", "netns", "exec", i.name} }

// The link between the server and its clients goes down without a word. The server lets go of the connections within a ping
// and its grace, the clients notice by themselves, and when the link is back, they have missed nothing.
func TestLinkDown(t *testing.T) {
	t.Parallel()
	const (
		ping     = 5 * time.Second
		grace    = 10 * time.Second
		notice   = 6 * time.Second // what connect sets
		slack    = 4 * time.Second // two slots of the wheel each for ping and grace
		messages = 20              // before, and while the link is down
	)
	clients, times := testkit.Scale(30, 500), testkit.Scale(1, 3)
	run := testkit.Begin("L2")
	sea := newIsland(t)
	server := startWith(t, setup{
		config: "ping_interval: 5s\n" + keeping(100_000), host: sea.host, under: sea.under(),
	})
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	testkit.Eventually(t, "nobody is connected", func() bool { return server.connections(t) == 0 })
	crew := newCrew(t)
	var seen []*states
	total := uint64(2 * messages * times)
	for range clients {
		s := newStates()
		seen = append(seen, s)
		c := connect(t, server.url(), client.Options{OnState: s.add})
		crew.do(func(ctx context.Context) error { return follow(ctx, c, l, origin, total) })
	}
	var latest, reaped time.Duration
	for n := range times {
		for _, s := range seen {
			if _, _, err := s.wait(crew.ctx, client.PhaseOpen, n+1); err != nil {
				t.Fatal(err)
			}
		}
		publishOn(t, sea, server, l, messages)
		sea.set("down")
		down := time.Now()
		publishOn(t, sea, server, l, messages)
		for _, s := range seen {
			at, err := s.lost(crew.ctx, down)
			if err != nil {
				t.Fatal(err)
			}
			latest = max(latest, at.Sub(down))
		}
		testkit.Eventually(t, "the server let go of all connections", func() bool { return server.connections(t) == 0 })
		reaped = max(reaped, time.Since(down))
		sea.set("up")
	}
	crew.wait()
	if latest > notice+slack || reaped > ping+grace+slack {
		t.Errorf("clients noticed after %v, want %v; the server after %v, want %v", latest, notice, reaped, ping+grace)
	}
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d clients, link down %d times; noticed by the last client after %.1f s, by the server after %.1f s",
		clients, times, latest.Seconds(), reaped.Seconds())
	if got := run.Totals; got.Deliveries != clients*int(total) || got.AllResets() != 0 {
		t.Errorf("%d deliveries and %d resets, want %d and none", got.Deliveries, got.AllResets(), clients*int(total))
	}
	run.End(t)
}

// publishOn publishes from the island, where the server is, so that the link does not matter.
func publishOn(t *testing.T, sea *island, server *program, l *checker.Ledger, n int) {
	t.Helper()
	for range n {
		data := fmt.Sprintf(`{"n":%d}`, l.Begin(messageBytes))
		args := append(sea.under()[1:], binary, "pub", "--url="+server.url(), l.Channel(), data)
		command(t, sea.under()[0], args...)
	}
}
