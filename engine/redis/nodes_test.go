package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// listener of what nodes say.
type hearer struct {
	mu      sync.Mutex
	told    []string
	renewed int
	silent  bool
}

func (h *hearer) Told(from string, message []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, string(message))
}

func (h *hearer) Asked(ctx context.Context, _ string, question []byte) []byte {
	if h.silent {
		<-ctx.Done()
		return nil
	}
	return append([]byte("re: "), question...)
}

func (h *hearer) Renewed(engine.Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.renewed++
}

func (h *hearer) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told)
}

func (h *hearer) renewals() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.renewed
}

// startNodes runs nodes that hear each other.
func startNodes(t *testing.T, o Options, count int) (nodes []*node, hearers []*hearer) {
	for i := range count {
		o.Name = fmt.Sprint("node", i)
		h := &hearer{}
		nodes = append(nodes, startServingNode(t, o, h))
		hearers = append(hearers, h)
	}
	for i, n := range nodes {
		if err := n.Tell(t.Context(), n.Self().ID, nil); err != nil {
			t.Fatalf("a node that was just opened does not hear: %v", err)
		}
		if got := nodes[i].Self().Name; got != fmt.Sprint("node", i) {
			t.Fatalf("node is named %q", got)
		}
	}
	return nodes, hearers
}

// Whoever knows of a node can tell it something: an order that came in between would be lost.
func TestNodeHearsOnceItIsOpen(t *testing.T) {
	url := startServer(t).url()
	for range 20 {
		e, err := Open(t.Context(), Options{URL: url, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Tell(t.Context(), e.Self().ID, nil); err != nil {
			t.Errorf("tell a node that was just opened: %v", err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNodesListTellAndSurvey(t *testing.T) {
	nodes, hearers := startNodes(t, Options{URL: startServer(t).url()}, 3)
	list, err := nodes[1].List(t.Context())
	if err != nil || len(list) != 3 || list[0] != nodes[0].Self() || list[2] != nodes[2].Self() {
		t.Fatalf("list is %+v, %v", list, err)
	}

	for i := range 5 {
		if err := nodes[0].Tell(t.Context(), "", fmt.Append(nil, "all ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := nodes[0].Tell(t.Context(), nodes[2].Self().ID, []byte("one")); err != nil {
		t.Fatal(err)
	}
	all := []string{"all 0", "all 1", "all 2", "all 3", "all 4"}
	eventually(t, "messages are heard in order", func() bool {
		return slices.Equal(hearers[1].heard(), all) && slices.Equal(hearers[2].heard(), append(all, "one"))
	})
	if heard := hearers[0].heard(); len(heard) > 0 {
		t.Fatalf("the teller heard %v", heard)
	}
	if err := nodes[0].Tell(t.Context(), "nobody..", nil); !errors.Is(err, engine.ErrNoNode) {
		t.Fatalf("telling nobody: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := nodes[0].Survey(ctx, []byte("who?"))
	if err != nil || len(s.Answers) != 3 || len(s.Missing) > 0 || string(s.Answers[nodes[2].Self().ID]) != "re: who?" {
		t.Fatalf("survey is %+v, %v", s, err)
	}
}

func TestSurveyNamesWhoIsMissing(t *testing.T) {
	s := startServer(t)
	nodes, _ := startNodes(t, Options{URL: s.url()}, 2)
	silent := startServingNode(t, Options{URL: s.url(), Name: "silent"}, &hearer{silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	answers, err := nodes[0].Survey(ctx, []byte("who?"))
	if err != nil || len(answers.Answers) != 2 || len(answers.Missing) != 1 || answers.Missing[0] != silent.Self() {
		t.Fatalf("survey is %+v, %v", answers, err)
	}
	if _, err := nodes[0].Survey(t.Context(), nil); err == nil {
		t.Fatal("a survey without a deadline began")
	}
}

// gathering answers nobody before so many ask.
type gathering struct {
	hearer
	missing atomic.Int64
	all     chan struct{} // closed when they do
}

func (g *gathering) Asked(ctx context.Context, _ string, _ []byte) []byte {
	if g.missing.Add(-1) == 0 {
		close(g.all)
	}
	select {
	case <-g.all:
	case <-ctx.Done():
	}
	return nil
}

// Answers that take their time, as those of clients do, do not hold up others.
func TestManyAreAskedAtOnce(t *testing.T) {
	const count = 50
	s := startServer(t)
	slow := &gathering{all: make(chan struct{})}
	slow.missing.Store(count)
	startServingNode(t, Options{URL: s.url(), Name: "slow"}, slow)
	asker := startServingNode(t, Options{URL: s.url(), Name: "asker"}, &hearer{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	for range count {
		asking.Go(func() {
			if got, err := asker.Survey(ctx, nil); err != nil || len(got.Missing) > 0 {
				t.Errorf("survey: %d do not answer, %v", len(got.Missing), err)
			}
		})
	}
	asking.Wait()
}

// A node that was cut off for longer than its lease finds out, and the keys that its sessions owned are gone.
func TestLostLease(t *testing.T) {
	s := startServer(t)
	way := startProxy(t, s.address())
	rules := func(string) engine.Rules { return engine.Rules{Kind: engine.KindMap} }
	h := &hearer{}
	cut := startServingNode(t, Options{URL: way.url(), Rules: rules, Lease: 300 * time.Millisecond}, h)
	other := startNode(t, Options{URL: s.url(), Rules: rules})
	other.listen("map:a")
	before := cut.Self()
	cut.change("map:a", engine.MapChange{Key: "owned", Owner: "ann"}, "1")
	cut.change("map:a", engine.MapChange{Key: "kept"}, "1")
	if keys := other.mapKeys("map:a"); !slices.Equal(keys, []string{"owned", "kept"}) {
		t.Fatalf("the map has %v", keys)
	}

	way.set(proxyCut)
	eventually(t, "readers leave the key out", func() bool { return slices.Equal(other.mapKeys("map:a"), []string{"kept"}) })
	eventually(t, "the deletion is committed", func() bool {
		fed := other.feed.of("map:a")
		return len(fed) == 3 && fed[2].Key == "owned" && fed[2].Gone
	})
	way.set(proxyOpen)
	eventually(t, "the node begins another run", func() bool { return h.renewals() > 0 })
	if cut.Self().ID == before.ID {
		t.Fatal("the run is the same")
	}
	eventually(t, "it hears under its new name", func() bool { return other.Tell(t.Context(), cut.Self().ID, []byte("hello")) == nil })
	eventually(t, "its keys live again", func() bool {
		_, err := cut.tryChange("map:a", engine.MapChange{Key: "owned", Owner: "ann"}, "2")
		return err == nil && slices.Equal(other.mapKeys("map:a"), []string{"kept", "owned"})
	})
}

// A node that became another run, but could not hear as that, says so once it can.
func TestRenewalIsSaidInTheEnd(t *testing.T) {
	s := startServer(t)
	h := &hearer{}
	n := startServingNode(t, Options{URL: s.url(), Lease: time.Hour}, h) // nothing is renewed but by the test
	before := n.Self().ID
	s.must("DEL", n.keys.leases())
	if err := s.do("ACL", "SETUSER", "default", "-ssubscribe").Error(); err != nil {
		t.Fatal(err)
	}
	if err := n.nodes.renew(t.Context()); err == nil || h.renewals() != 0 {
		t.Fatalf("without hearing it is renewed: %v, %d times", err, h.renewals())
	}
	if now := n.Self().ID; now == before {
		t.Fatal("it is the same run")
	}
	s.must("ACL", "SETUSER", "default", "+ssubscribe")
	for range 2 {
		if err := n.nodes.renew(t.Context()); err != nil || h.renewals() != 1 {
			t.Fatalf("it is renewed: %v, %d times", err, h.renewals())
		}
	}
}
