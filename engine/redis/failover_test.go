package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

var appendAlways = []string{"--save", "", "--appendonly", "yes", "--appendfsync", "always"}

// keepCopy copies the data folder; the returned function kills the server and starts it on the copy, as a failover to a
// replica that was behind does.
func (s *server) keepCopy() (failover func()) {
	s.t.Helper()
	data, kept := filepath.Join(s.dir, "appendonlydir"), filepath.Join(s.t.TempDir(), "copy")
	if err := os.CopyFS(kept, os.DirFS(data)); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		s.kill()
		if err := errors.Join(os.RemoveAll(data), os.CopyFS(data, os.DirFS(kept))); err != nil {
			s.t.Fatal(err)
		}
		s.start()
	}
}

// wantReset checks that a reader at p is told that its position is not one of the log.
func (n *node) wantReset(channel string, p engine.Position) {
	n.t.Helper()
	page := n.history(channel, engine.Query{Since: &p, Limit: 10})
	if page.Complete || page.Evicted {
		n.t.Fatalf("page since %+v, which was lost: %+v", p, page)
	}
}

// A node that was fed what Redis lost has the channel begin a new epoch, though nobody publishes.
func TestLostTail(t *testing.T) {
	s := startServer(t, appendAlways...)
	n := startNode(t, Options{URL: s.url()})
	other := startNode(t, Options{URL: s.url()})
	n.listen("log:a")
	other.listen("log:a")
	kept := n.say("log:a", "kept")
	failover := s.keepCopy()
	lost := n.say("log:a", "lost")
	n.waitFed("log:a", lost)
	other.waitFed("log:a", lost)
	failover()
	eventually(t, "a new epoch begins", func() bool {
		page, err := n.History(context.Background(), "log:a", engine.Query{Limit: 1})
		return err == nil && page.Top.Epoch != kept.Epoch
	})
	top := n.history("log:a", engine.Query{Limit: 1}).Top
	if top.Offset != kept.Offset || top.Tag != kept.Tag {
		t.Fatalf("top is %+v, want that of %+v", top, kept)
	}
	n.waitFed("log:a", top) // so that its readers notice
	other.waitFed("log:a", top)
	n.wantReset("log:a", lost)
	last := n.insist("log:a", "new")
	n.waitFed("log:a", last)
	other.waitFed("log:a", last)
}

// New publications have passed the offset that a node was fed, before it could look.
func TestLostTailThatWasWrittenOver(t *testing.T) {
	s := startServer(t, appendAlways...)
	way := startProxy(t, s.address())
	n := startNode(t, Options{URL: way.url()})
	n.listen("log:a")
	kept := n.say("log:a", "kept")
	failover := s.keepCopy()
	lost := n.say("log:a", "lost")
	n.waitFed("log:a", lost)
	way.set(proxyCut)
	failover()
	other := startNode(t, Options{URL: s.url()})
	for i := range 5 {
		other.say("log:a", fmt.Sprint("new ", i))
	}
	other.wantReset("log:a", lost) // by the tag alone
	way.set(proxyOpen)
	eventually(t, "a new epoch begins", func() bool {
		page, err := n.History(context.Background(), "log:a", engine.Query{Limit: 1})
		return err == nil && page.Top.Epoch != kept.Epoch
	})
	n.wantReset("log:a", lost)
	n.waitFed("log:a", n.insist("log:a", "newest"))
}

func TestLostLiveState(t *testing.T) {
	s := startServer(t, appendAlways...)
	rules := func(string) engine.Rules { return engine.Rules{} }
	n := startNode(t, Options{URL: s.url(), Rules: rules})
	n.listen("live:a")
	failover := s.keepCopy()
	var last engine.Position
	for i := range 5 {
		last = n.say("live:a", fmt.Sprint(i))
	}
	n.waitFed("live:a", last)
	failover()
	// While the node is not fed, nobody listens: then a publication has no position. What is fed afterwards does not
	// follow what was fed before, by its epoch or by its tag.
	eventually(t, "a publication is fed again", func() bool {
		r, err := n.try("live:a", "", "new")
		return err == nil && slices.ContainsFunc(n.feed.of("live:a")[5:], func(p *engine.Publication) bool {
			return p.Position == r.Position
		})
	})
	if first := n.feed.of("live:a")[5]; follows(last, first) {
		t.Fatalf("%+v follows %+v, which was lost", first, last)
	}
}

// A Redis that comes back empty is found by the reconnect: no check is near, and nobody publishes.
func TestEmptyAfterARestart(t *testing.T) {
	s := startServer(t, "--save", "")
	rules := func(channel string) engine.Rules {
		return map[string]engine.Rules{"log:a": {Kind: engine.KindLog}, "map:a": {Kind: engine.KindMap}}[channel]
	}
	n := startNode(t, Options{URL: s.url(), CheckInterval: time.Hour, Rules: rules})
	before := map[string]engine.Position{}
	for _, name := range []string{"log:a", "map:a", "live:a"} {
		n.listen(name)
	}
	before["map:a"] = n.change("map:a", engine.MapChange{Key: "k"}, "x")
	for _, name := range []string{"log:a", "live:a"} {
		before[name] = n.say(name, "1")
	}
	s.kill()
	s.start()
	for name, p := range before {
		eventually(t, "the node is told that "+name+" began anew", func() bool {
			top := n.feed.restart(name)
			return top.Epoch != 0 && top.Epoch != p.Epoch && top.Offset == 0
		})
	}
}

func TestFlushedDatabase(t *testing.T) {
	s := startServer(t)
	n := startNode(t, Options{URL: s.url(), CheckInterval: 50 * time.Millisecond})
	n.listen("log:a")
	before := n.say("log:a", "1")
	n.waitFed("log:a", before)
	if err := s.do("FLUSHALL").Error(); err != nil {
		t.Fatal(err)
	}
	n.wantReset("log:a", before)
	after := n.say("log:a", "2")
	if after.Epoch == before.Epoch || after.Offset != 1 {
		t.Fatalf("position is %+v after %+v", after, before)
	}
	n.waitFed("log:a", after)
}

// Every publication that was acknowledged under appendfsync always is there after the process was killed. Under everysec
// Redis may not even have written the last ones: then readers of them are reset.
func TestCrashes(t *testing.T) {
	for policy, durability := range map[string]engine.Durability{
		"always": engine.DurabilityRedisAlways, "everysec": engine.DurabilityRedisEverySecond,
	} {
		t.Run(policy, func(t *testing.T) {
			s := startServer(t, "--save", "", "--appendonly", "yes", "--appendfsync", policy)
			n := startNode(t, Options{URL: s.url()})
			n.listen("log:a")
			acknowledged := map[string]engine.Position{}
			for i := range 3 {
				crashWhilePublishing(t, s, n, i, acknowledged)
			}
			n.insist("log:a", "last")
			r, err := n.try("log:a", "last", "last")
			if err != nil || r.Durability != durability {
				t.Fatalf("answer is %+v, %v", r, err)
			}
			eventually(t, "the last is fed, in whatever epoch", func() bool {
				fed := n.feed.of("log:a")
				return len(fed) > 0 && fed[len(fed)-1].Offset == r.Position.Offset && fed[len(fed)-1].Tag == r.Position.Tag
			})
			lost := checkAcknowledged(t, n, acknowledged)
			if t.Logf("%d of %d were lost", lost, len(acknowledged)); lost == 0 {
				checkChain(t, n.feed.of("log:a"))
			} else if policy == "always" {
				t.Fatal("acknowledged publications were lost")
			}
		})
	}
}

// crashWhilePublishing kills the server in the midst of publishing, and starts it again.
func crashWhilePublishing(t *testing.T, s *server, n *node, round int, acknowledged map[string]engine.Position) {
	t.Helper()
	var crashing sync.WaitGroup
	for i := range 400 {
		if i == 200 {
			crashing.Go(s.kill)
		}
		text := fmt.Sprintf("%d/%d", round, i)
		r, err := n.try("log:a", text, text)
		if err == nil {
			acknowledged[text] = r.Position
			continue
		}
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	crashing.Wait()
	s.start()
	text := fmt.Sprint("after ", round)
	acknowledged[text] = n.insist("log:a", text)
}

// checkAcknowledged checks that no publication is there twice, that those which were acknowledged are where they were,
// and that readers of the others are reset. It returns how many of them are lost.
func checkAcknowledged(t *testing.T, n *node, acknowledged map[string]engine.Position) (lost int) {
	t.Helper()
	found := map[string]engine.Position{}
	for _, p := range n.everything("log:a") {
		if _, twice := found[text(p)]; twice {
			t.Fatalf("%s was committed twice", text(p))
		}
		found[text(p)] = p.Position
	}
	for text, want := range acknowledged {
		got, ok := found[text]
		if !ok {
			lost++
			n.wantReset("log:a", want)
		} else if got.Offset != want.Offset || got.Tag != want.Tag {
			t.Fatalf("%s was acknowledged at %+v and is at %+v", text, want, got)
		}
	}
	return lost
}

func TestRedisAway(t *testing.T) {
	s := startServer(t, appendAlways...)
	n := startNode(t, Options{URL: s.url(), Timeout: 500 * time.Millisecond})
	n.listen("log:a")
	first := n.say("log:a", "1")
	if f := n.Fault(); f != nil {
		t.Fatal(f)
	}
	killed := time.Now()
	s.kill()
	eventually(t, "it is not healthy", func() bool { return n.Fault() != nil })
	wantFault(t, n, killed)
	for i := range 20 {
		began := time.Now()
		if _, err := n.try("log:a", "", fmt.Sprint(i)); !errors.Is(err, engine.ErrUnavailable) {
			t.Fatalf("publish: %v", err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Fatalf("a publish failed after %v", took)
		}
	}
	if _, err := n.History(t.Context(), "log:a", engine.Query{Limit: 1}); !errors.Is(err, engine.ErrUnavailable) {
		t.Fatalf("history: %v", err)
	}
	if _, err := n.Subscribe(t.Context(), "log:b"); !errors.Is(err, engine.ErrUnavailable) {
		t.Fatalf("subscribe: %v", err)
	}
	wantFault(t, n, killed)
	s.start()
	eventually(t, "it is healthy", func() bool { return n.Fault() == nil })
	last := n.insist("log:a", "2")
	fed := n.waitFed("log:a", last)
	if checkChain(t, fed); fed[0].Position != first || len(fed) != 2 {
		t.Fatalf("fed %d publications, want 2", len(fed))
	}
}

// wantFault checks that the node says that Redis is away, and since when.
func wantFault(t *testing.T, n *node, began time.Time) {
	t.Helper()
	f := n.Fault()
	if f == nil || !errors.Is(f, engine.ErrUnavailable) || f.Final || f.Since.Before(began) || f.Since.After(began.Add(5*time.Second)) {
		t.Fatalf("since %v, the fault is %v", began, f)
	}
}

func TestFullMemory(t *testing.T) {
	s := startServer(t, "--maxmemory", "8mb", "--maxmemory-policy", "noeviction")
	n := startNode(t, Options{URL: s.url()})
	n.listen("log:a")
	text := string(make([]byte, 32<<10))
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = n.try("log:a", "", text)
	}
	if !errors.Is(err, engine.ErrDiskFull) {
		t.Fatalf("publish to a full Redis: %v", err)
	}
	page := n.history("log:a", engine.Query{Limit: 1})
	if err := n.Trim(t.Context(), "log:a", page.Start); err != nil { // which makes room
		t.Fatal(err)
	}
	fed := n.waitFed("log:a", n.say("log:a", "again"))
	checkChain(t, fed)
}

// A Redis that says nothing is as good as away, and subscriptions survive it.
func TestSilence(t *testing.T) {
	s := startServer(t)
	way := startProxy(t, s.address())
	n := startNode(t, Options{URL: way.url(), Timeout: 200 * time.Millisecond})
	n.listen("log:a")
	n.say("log:a", "1")
	way.set(proxySilent)
	var answers sync.WaitGroup
	began := time.Now()
	for i := range 5000 {
		answers.Add(1)
		p := engine.Proposal{Channel: fmt.Sprint("log:", i), Message: message("x")}
		n.Publish(t.Context(), p, func(_ engine.Receipt, err error) {
			if !errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("publish: %v", err)
			}
			answers.Done()
		})
	}
	answers.Wait()
	if took := time.Since(began); took > 10*time.Second { // one after the other they would take 1,000 s
		t.Errorf("5000 publishes to different channels failed after %v", took)
	}
	other := startNode(t, Options{URL: s.url()})
	other.say("log:a", "2")
	way.set(proxyOpen)
	fed := n.waitFed("log:a", n.insist("log:a", "3"))
	if checkChain(t, fed); len(fed) != 3 {
		t.Fatalf("fed %d publications, want 3", len(fed))
	}
}

// A replica does not take writes: that may pass, as it does when it is promoted.
func TestReplica(t *testing.T) {
	s := startServer(t)
	n := startNode(t, Options{URL: s.url(), Lease: time.Second})
	if err := s.do("REPLICAOF", "127.0.0.1", fmt.Sprint(freePort(t))).Error(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.try("log:a", "", "1"); !errors.Is(err, engine.ErrUnavailable) {
		t.Fatalf("publish to a replica: %v", err)
	}
	eventually(t, "it is not healthy, though Redis answers", func() bool { return n.Fault() != nil })
	if err := s.do("REPLICAOF", "NO", "ONE").Error(); err != nil {
		t.Fatal(err)
	}
	n.say("log:a", "1")
	eventually(t, "it is healthy", func() bool { return n.Fault() == nil })
}

func TestFenceOfALogThatLostNothing(t *testing.T) {
	for kind, rules := range map[string]engine.Rules{
		"log": {Kind: engine.KindLog}, "trimmed": {Kind: engine.KindLog, MaxPublications: 2}, "live": {},
	} {
		t.Run(kind, func(t *testing.T) {
			n := startNode(t, Options{URL: startServer(t).url(), Rules: func(string) engine.Rules { return rules }})
			at := []engine.Position{n.listen("a")}
			for i := range 5 {
				at = append(at, n.say("a", fmt.Sprint(i)))
			}
			f := n.feeds.find(n.keys.channel("a").feed)
			for _, p := range at {
				if err := f.fence(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			if top := n.listen("a"); top != at[5] {
				t.Fatalf("top is %+v, was %+v", top, at[5])
			}
			future := at[5]
			future.Offset++
			if err := f.fence(t.Context(), future); err != nil {
				t.Fatal(err)
			}
			if top := n.listen("a"); top.Epoch == at[5].Epoch {
				t.Fatal("no new epoch began")
			}
		})
	}
}
