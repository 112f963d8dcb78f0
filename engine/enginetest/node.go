package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// wait bounds what a test waits for; reaching it is a failure.
const wait = 30 * time.Second

// node is an engine that runs, and what it fed.
type node struct {
	t *testing.T
	s Suite
	engine.Engine
	env   *Env
	feed  *recorder
	clock *clock
	ran   chan error
	tasks sync.WaitGroup
}

// start opens and runs an engine on empty data, which is closed when the test ends.
func start(t *testing.T, s Suite, rules func(string) engine.Rules) *node {
	t.Helper()
	n := open(t, s, rules)
	n.run()
	return n
}

// open is start without Run.
func open(t *testing.T, s Suite, rules func(string) engine.Rules) *node {
	t.Helper()
	c := &clock{}
	c.unixMS.Store(1_700_000_000_000)
	n := &node{t: t, s: s, clock: c, env: &Env{Rules: rules, Now: c.now}}
	n.Engine, n.feed = s.Open(t, n.env), newRecorder()
	t.Cleanup(n.stop)
	return n
}

func (n *node) run() {
	n.ran = make(chan error, 1)
	n.tasks.Go(func() { n.ran <- n.Run(context.Background(), n.feed) })
	n.say("log:probe", "it runs once this is answered")
}

// stop closes the engine and checks that both Close and Run end well.
func (n *node) stop() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		n.t.Errorf("close: %v", err)
	}
	n.tasks.Wait()
	if n.ran == nil {
		return
	}
	if err := <-n.ran; err != nil {
		n.t.Errorf("run: %v", err)
	}
	n.ran = nil
}

// restart closes the engine and runs another on its data, with an empty recorder.
func (n *node) restart() {
	n.t.Helper()
	n.stop()
	n.Engine, n.feed = n.s.Open(n.t, n.env), newRecorder()
	n.run()
}

// result is an answer to a publish.
type result struct {
	receipt engine.Receipt
	err     error
}

// publish publishes and waits for the answer.
func (n *node) publish(p engine.Proposal) result {
	n.t.Helper()
	answer := make(chan result, 2)
	n.Publish(context.Background(), p, func(r engine.Receipt, err error) { answer <- result{r, err} })
	select {
	case r := <-answer:
		return r
	case <-time.After(wait):
		n.t.Fatal("no answer to a publish")
		return result{}
	}
}

// say publishes text and returns its position.
func (n *node) say(channel, text string) engine.Position {
	n.t.Helper()
	r := n.publish(engine.Proposal{Channel: channel, Message: message(text)})
	if r.err != nil {
		n.t.Fatalf("publish %q: %v", text, r.err)
	}
	return r.receipt.Position
}

// fill publishes "1" to "count" and returns the positions, from that before the first.
func (n *node) fill(channel string, count int) []engine.Position {
	n.t.Helper()
	positions := []engine.Position{n.top(channel)}
	for i := range count {
		positions = append(positions, n.say(channel, fmt.Sprint(i+1)))
	}
	return positions
}

func (n *node) top(channel string) engine.Position {
	n.t.Helper()
	return n.page(channel, engine.Query{Limit: 1}).Top
}

// page reads history that must be readable.
func (n *node) page(channel string, q engine.Query) engine.Page {
	n.t.Helper()
	page, err := n.History(context.Background(), channel, q)
	if err != nil {
		n.t.Fatalf("history: %v", err)
	}
	return page
}

func (n *node) subscribe(channel string) engine.Position {
	n.t.Helper()
	p, err := n.Subscribe(context.Background(), channel)
	if err != nil {
		n.t.Fatalf("subscribe: %v", err)
	}
	return p
}

// waitSound waits until the engine has no fault: it may still be connecting, though not where it was used.
func (n *node) waitSound() {
	n.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	timeout := time.After(wait)
	for n.Fault() != nil {
		select {
		case <-look.C:
		case <-timeout:
			n.t.Fatal(n.Fault())
		}
	}
}

// want fails the test unless err is target.
func (n *node) want(err, target error) {
	n.t.Helper()
	if !errors.Is(err, target) {
		n.t.Fatalf("error is %v, want %v", err, target)
	}
}

func message(text string) wire.Message {
	return wire.Message{Event: "said", Data: wire.JSONData(fmt.Appendf(nil, "%q", text))}
}

// text undoes message.
func text(p *engine.Publication) (s string) {
	fmt.Sscanf(string(p.Data.Body), "%q", &s)
	return s
}

// clock is the time that engines are given.
type clock struct{ unixMS atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.unixMS.Load()) }

func (c *clock) pass(d time.Duration) { c.unixMS.Add(d.Milliseconds()) }

// recorder is a feed that remembers everything.
type recorder struct {
	mu        sync.Mutex
	fed       map[string][]*engine.Publication
	restarted map[string]engine.Position
	more      chan struct{} // closed, and made anew, when something was fed
}

func newRecorder() *recorder {
	return &recorder{
		fed: map[string][]*engine.Publication{}, restarted: map[string]engine.Position{}, more: make(chan struct{}),
	}
}

func (r *recorder) Committed(channel string, pubs []*engine.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fed[channel] = append(r.fed[channel], pubs...)
	close(r.more)
	r.more = make(chan struct{})
}

func (r *recorder) Restarted(channel string, top engine.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restarted[channel] = top
	close(r.more)
	r.more = make(chan struct{})
}

// restart returns where a channel went on last without joining.
func (r *recorder) restart(channel string) (top engine.Position, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.restarted[channel], r.more
}

func (r *recorder) channel(name string) (pubs []*engine.Publication, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fed[name], r.more
}

// wait returns what was fed of a channel once there are count publications.
func (n *node) waitFed(channel string, count int) []*engine.Publication {
	n.t.Helper()
	timeout := time.After(wait)
	for {
		pubs, more := n.feed.channel(channel)
		if len(pubs) >= count {
			return pubs
		}
		select {
		case <-more:
		case <-timeout:
			n.t.Fatalf("fed %d publications, want %d", len(pubs), count)
		}
	}
}
