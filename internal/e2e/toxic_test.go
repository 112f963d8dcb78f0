package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// networks are bad in one way each. A network that takes bytes for a while and delivers none, without an end, is black.
var networks = map[string]struct {
	toxics []string
	black  bool
}{
	"slow":       {toxics: []string{down("latency", `"latency":40,"jitter":40`), up("latency", `"latency":40,"jitter":40`)}},
	"narrow":     {toxics: []string{down("bandwidth", `"rate":400`), up("bandwidth", `"rate":100`)}},
	"sliced":     {toxics: []string{down("slicer", `"average_size":50,"size_variation":49,"delay":10`), up("slicer", `"average_size":5,"size_variation":4,"delay":10`)}},
	"cut":        {toxics: []string{down("limit_data", `"bytes":20000`)}},
	"cut slowly": {toxics: []string{down("limit_data", `"bytes":20000`), down("slow_close", `"delay":300`)}},
	"black":      {toxics: []string{down("timeout", `"timeout":0`), up("timeout", `"timeout":0`)}, black: true},
}

func down(kind, attributes string) string { return toxic(kind, "downstream", attributes) }
func up(kind, attributes string) string   { return toxic(kind, "upstream", attributes) }

func toxic(kind, stream, attributes string) string {
	return fmt.Sprintf(`{"name":"%[1]s %[2]s","type":%[1]q,"stream":%[2]q,"attributes":{%[3]s}}`, kind, stream, attributes)
}

// Clients publish and read over networks that are bad in one way each: each message is committed once, and read once by every
// client, in order, without a reset.
func TestBadNetworks(t *testing.T) {
	for name := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			useBadNetwork(t, name)
		})
	}
}

func useBadNetwork(t *testing.T, name string) {
	const (
		clients = 10
		atOnce  = 4
	)
	messages := testkit.Scale(300, 1000)
	run := testkit.Begin("D1")
	server := startProgram(t, keeping(2*messages))
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	network := startToxic(t, server.addr)
	crew := newCrew(t)
	if !networks[name].black {
		network.poison(name)
	}
	for range clients {
		c := connect(t, network.url(), client.Options{})
		crew.do(func(ctx context.Context) error { return follow(ctx, c, l, origin, uint64(messages)) })
	}
	publisher := connect(t, network.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return publish(ctx, publisher, l, messages/2, atOnce) })
	if networks[name].black {
		if err := l.Wait(crew.ctx, messages/2); err != nil {
			t.Fatal(err)
		}
		network.poison(name)
	}
	crew.do(func(ctx context.Context) error { return publish(ctx, publisher, l, messages-messages/2, atOnce) })
	if networks[name].black {
		<-time.After(8 * time.Second) // longer than clients wait for a sign of life
		network.cure()
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d clients, a network that is %s", clients, name)
	wantAll(t, run.Totals, messages, clients*messages)
	if run.Totals.AllResets() != 0 {
		t.Errorf("%d resets", run.Totals.AllResets())
	}
	run.End(t)
}

// toxicNetwork is a network to one address that can be poisoned.
type toxicNetwork struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// startToxic starts a network to target that is good until it is poisoned.
func startToxic(t *testing.T, target string) *toxicNetwork {
	t.Helper()
	owner := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &toxicNetwork{t, toxiproxy.NewProxy(owner, t.Name(), "127.0.0.1:0", target)}
	if err := n.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.proxy.Stop)
	return n
}

func (n *toxicNetwork) url() string { return "http://" + n.proxy.Listen }

func (n *toxicNetwork) poison(name string) {
	n.t.Helper()
	for _, toxic := range networks[name].toxics {
		if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			n.t.Fatalf("%s: %v", toxic, err)
		}
	}
}

func (n *toxicNetwork) cure() { n.proxy.Toxics.ResetToxics(context.Background()) }
