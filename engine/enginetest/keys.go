package enginetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

var keyTests = map[string]func(*testing.T, Suite){
	"a repeat is answered alike":            repeats,
	"another message under the key":         keyReused,
	"scope":                                 keyScope,
	"repeats at once":                       concurrentRepeats,
	"repeats of many keys at once":          concurrentKeys,
	"window":                                keyWindow,
	"repeats after a restart":               repeatAfterRestart,
	"the publication may be gone meanwhile": repeatOfEvicted,
}

func keyed(channel, user, key, text string) engine.Proposal {
	return engine.Proposal{Channel: channel, User: user, Idem: key, Message: message(text)}
}

// wantRepeat checks that r answers the publish that first answered.
func wantRepeat(t *testing.T, r, first result) {
	t.Helper()
	if r.err != nil || !r.receipt.Duplicate || r.receipt.Position != first.receipt.Position {
		t.Fatalf("repeat is answered %+v, %v; the first time it was %+v", r.receipt, r.err, first.receipt)
	}
}

// wantFirst checks that r answers a publish that was committed now.
func wantFirst(t *testing.T, r result) {
	t.Helper()
	if r.err != nil || r.receipt.Duplicate {
		t.Fatalf("publish is answered %+v, %v", r.receipt, r.err)
	}
}

// both runs a test on a log and on an unretained channel that the node listens to.
func both(t *testing.T, s Suite, test func(*testing.T, *node)) {
	for name, kind := range map[string]engine.Kind{"log": engine.KindLog, "live": engine.KindPub} {
		t.Run(name, func(t *testing.T) {
			n := start(t, s, always(engine.Rules{Kind: kind}))
			n.subscribe("a:a")
			n.subscribe("a:b")
			test(t, n)
		})
	}
}

func repeats(t *testing.T, s Suite) {
	both(t, s, func(t *testing.T, n *node) {
		first := n.publish(keyed("a:a", "ann", "k", "hello"))
		wantFirst(t, first)
		wantFirst(t, n.publish(keyed("a:a", "ann", "k2", "hello")))
		for range 3 {
			wantRepeat(t, n.publish(keyed("a:a", "ann", "k", "hello")), first)
		}
		if fed := n.waitFed("a:a", 2); len(fed) != 2 {
			t.Fatalf("fed %d publications, want 2", len(fed))
		}
	})
}

func keyReused(t *testing.T, s Suite) {
	both(t, s, func(t *testing.T, n *node) {
		first := keyed("a:a", "ann", "k", "1")
		first.Tags = map[string]string{"a": "b"}
		r := n.publish(first)
		wantFirst(t, r)
		for _, change := range []func(*engine.Proposal){
			func(p *engine.Proposal) { p.Data = wire.JSONData([]byte(`"2"`)) },
			func(p *engine.Proposal) { p.Data.Binary = true },
			func(p *engine.Proposal) { p.Event = "other" },
			func(p *engine.Proposal) { p.Tags = nil },
			func(p *engine.Proposal) { p.Tags = map[string]string{"a": "c"} },
			func(p *engine.Proposal) { p.Tags = map[string]string{"ab": ""} },
		} {
			other := first
			change(&other)
			n.want(n.publish(other).err, engine.ErrIdemReused)
		}
		first.Sender = "another device"
		wantRepeat(t, n.publish(first), r)
	})
}

func keyScope(t *testing.T, s Suite) {
	both(t, s, func(t *testing.T, n *node) {
		for _, p := range []engine.Proposal{
			keyed("a:a", "ann", "k", "1"), keyed("a:b", "ann", "k", "2"), keyed("a:a", "bob", "k", "3"),
			keyed("a:a", "", "k", "4"), keyed("a:a", "an", "nk", "5"), keyed("a:a", "annk", "", "6"),
			keyed("a:aann", "", "k", "7"),
		} {
			wantFirst(t, n.publish(p))
		}
	})
}

// concurrentRepeats publishes the same at once, so that repeats meet the first one in the same batch.
func concurrentRepeats(t *testing.T, s Suite) {
	both(t, s, func(t *testing.T, n *node) {
		const count = 50
		answers := make(chan result, 2*count)
		for i := range 2 * count {
			p := keyed("a:a", "ann", "k", fmt.Sprint(i%2))
			n.Publish(context.Background(), p, func(r engine.Receipt, err error) { answers <- result{r, err} })
		}
		first := <-answers
		wantFirst(t, first)
		for range count - 1 {
			n.want((<-answers).err, engine.ErrIdemReused)
			wantRepeat(t, <-answers, first)
		}
		n.want((<-answers).err, engine.ErrIdemReused)
		if fed := n.waitFed("a:a", 1); len(fed) != 1 {
			t.Fatalf("fed %d publications, want 1", len(fed))
		}
	})
}

// concurrentKeys has every key published by several publishers; one of each must be the first.
func concurrentKeys(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	const keys, publishers = 200, 4
	receipts := make([][keys]result, publishers)
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			for k := range keys {
				receipts[i][k] = n.publish(keyed("log:a", "ann", fmt.Sprint(k), fmt.Sprint(k)))
			}
		})
	}
	wg.Wait()
	for k := range keys {
		first := 0
		for i := range publishers {
			r := receipts[i][k]
			if r.err != nil || r.receipt.Position != receipts[0][k].receipt.Position {
				t.Fatalf("key %d: %+v and %+v", k, r, receipts[0][k])
			}
			if !r.receipt.Duplicate {
				first++
			}
		}
		if first != 1 {
			t.Fatalf("key %d was committed %d times", k, first)
		}
	}
	if top := n.top("log:a"); top.Offset != keys {
		t.Fatalf("top is %d, want %d", top.Offset, keys)
	}
}

func keyWindow(t *testing.T, s Suite) {
	if !s.FollowsClock {
		t.Skip("the engine has its own clock")
	}
	for name, window := range map[string]time.Duration{"default": 0, "short": 2 * time.Second, "long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			n := start(t, s, func(channel string) engine.Rules {
				if channel == "live:a" {
					return engine.Rules{IdemWindow: window}
				}
				return engine.Rules{Kind: engine.KindLog, IdemWindow: window}
			})
			lasts := window
			if lasts == 0 {
				lasts = engine.DefaultIdemWindow
			}
			n.subscribe("live:a")
			for _, channel := range []string{"log:a", "live:a"} {
				first := n.publish(keyed(channel, "ann", "k", "1"))
				n.clock.pass(lasts - time.Millisecond)
				wantRepeat(t, n.publish(keyed(channel, "ann", "k", "1")), first)
				n.clock.pass(time.Millisecond)
				wantFirst(t, n.publish(keyed(channel, "ann", "k", "other")))
				n.want(n.publish(keyed(channel, "ann", "k", "1")).err, engine.ErrIdemReused)
			}
		})
	}
}

func repeatAfterRestart(t *testing.T, s Suite) {
	if !s.Restarts {
		t.Skip("the engine keeps nothing")
	}
	n := start(t, s, always(log(0)))
	var first []result
	for i := range 20 {
		first = append(first, n.publish(keyed("log:a", "ann", fmt.Sprint(i), "text")))
	}
	for range 2 {
		n.restart()
		for i, r := range first {
			wantRepeat(t, n.publish(keyed("log:a", "ann", fmt.Sprint(i), "text")), r)
			n.want(n.publish(keyed("log:a", "ann", fmt.Sprint(i), "other")).err, engine.ErrIdemReused)
		}
	}
}

func repeatOfEvicted(t *testing.T, s Suite) {
	n := start(t, s, always(log(2)))
	first := n.publish(keyed("log:a", "ann", "k", "1"))
	n.fill("log:a", 200)
	wantRepeat(t, n.publish(keyed("log:a", "ann", "k", "1")), first)
}
