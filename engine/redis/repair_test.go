package redis

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// sayUnheard commits a message whose way to the nodes is lost.
func (n *node) sayUnheard(channel, text string) {
	n.t.Helper()
	p := n.prepare(engine.Proposal{Channel: channel, Message: message(text)}, n.options.Rules(channel), nil)
	keys, args := n.publishCall([]proposal{p})
	args[0] = "nobody listens here"
	if err := n.exec(n.t.Context(), publishScript, keys, args).Error(); err != nil {
		n.t.Fatal(err)
	}
}

func TestLostMessageIsReadWithTheNext(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), CheckInterval: time.Hour})
	n.listen("log:a")
	n.say("log:a", "1")
	n.sayUnheard("log:a", "2")
	n.sayUnheard("log:a", "3")
	fed := n.waitFed("log:a", n.say("log:a", "4"))
	if checkChain(t, fed); len(fed) != 4 {
		t.Fatalf("fed %d publications, want 4", len(fed))
	}
}

func TestLostMessageIsFoundByTheCheck(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), CheckInterval: 50 * time.Millisecond})
	n.listen("log:a")
	n.say("log:a", "1")
	n.sayUnheard("log:a", "2")
	fed := n.waitFed("log:a", n.history("log:a", engine.Query{Limit: 1}).Top)
	if checkChain(t, fed); len(fed) != 2 {
		t.Fatalf("fed %d publications, want 2", len(fed))
	}
}

// A message that is lost right after another came is found within one interval, and a channel that stays quiet is compared
// once in each.
func TestQuietFeedsAreCompared(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), CheckInterval: time.Hour})
	n.listen("log:a")
	n.waitFed("log:a", n.say("log:a", "1"))
	var compared []int
	for check := range 3 * checksPerInterval {
		if len(n.feeds.quiet()) > 0 {
			compared = append(compared, check)
		}
	}
	want := []int{1, 1 + checksPerInterval, 1 + 2*checksPerInterval}
	if !slices.Equal(compared, want) {
		t.Fatalf("compared by the checks %v, want %v", compared, want)
	}
}

// What retention dropped before it was fed is gone; the node is fed what came after it.
func TestLostMessagesThatAreGone(t *testing.T) {
	rules := func(string) engine.Rules { return engine.Rules{Kind: engine.KindLog, MaxPublications: 2} }
	n := startNode(t, Options{URL: startServer(t).url(), CheckInterval: time.Hour, Rules: rules})
	n.listen("log:a")
	n.say("log:a", "0")
	for i := range 10 {
		n.sayUnheard("log:a", fmt.Sprint(i))
	}
	last := n.waitFed("log:a", n.say("log:a", "last"))
	fed := n.waitFed("log:a", n.say("log:a", "and on"))
	checkChain(t, fed[len(last)-1:])
}

// A long gap is read in pages while more is published.
func TestLongGapWhilePublishing(t *testing.T) {
	n := startNode(t, Options{URL: startServer(t).url(), CheckInterval: time.Hour})
	n.listen("log:a")
	const each = 700
	for i := range each {
		n.sayUnheard("log:a", fmt.Sprint(i))
	}
	var last engine.Position
	for i := range each {
		last = n.say("log:a", fmt.Sprint(i))
	}
	fed := n.waitFed("log:a", last)
	if checkChain(t, fed); len(fed) != 2*each {
		t.Fatalf("fed %d publications, want %d", len(fed), 2*each)
	}
}

func TestCutConnections(t *testing.T) {
	s := startServer(t)
	n := startNode(t, Options{URL: s.url(), CheckInterval: time.Hour})
	for _, name := range []string{"log:a", "log:b"} {
		n.listen(name)
		n.say(name, "0")
	}
	var last engine.Position
	for i := range 10 {
		for _, kind := range []string{"pubsub", "normal"} {
			if err := s.do("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes").Error(); err != nil {
				t.Fatal(err)
			}
		}
		last = n.insist("log:a", fmt.Sprint(i))
	}
	fed := n.waitFed("log:a", last)
	if checkChain(t, fed); len(fed) != 11 {
		t.Fatalf("fed %d publications, want 11", len(fed))
	}
	n.waitFed("log:b", n.insist("log:b", "still fed"))
}

func TestFlushedScripts(t *testing.T) {
	s := startServer(t)
	n := startNode(t, Options{URL: s.url()})
	n.listen("log:a")
	for i := range 20 {
		if err := s.do("SCRIPT", "FLUSH").Error(); err != nil {
			t.Fatal(err)
		}
		n.say("log:a", fmt.Sprint(i))
		n.history("log:a", engine.Query{Limit: 1})
	}
	if fed := n.waitFed("log:a", n.say("log:a", "last")); len(fed) != 21 {
		t.Fatalf("fed %d publications, want 21", len(fed))
	}
}
