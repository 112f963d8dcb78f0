package redis

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// node is an engine that runs, and what it fed.
type node struct {
	*Engine
	t    testing.TB
	feed recorder
}

// startNode runs an engine that is closed when the test ends.
func startNode(t testing.TB, o Options) *node {
	t.Helper()
	return startServingNode(t, o, nil)
}

// startServingNode is startNode for a node that hears what others say.
func startServingNode(t testing.TB, o Options, h engine.NodeHandler) *node {
	t.Helper()
	if o.Rules == nil {
		o.Rules = func(string) engine.Rules { return engine.Rules{Kind: engine.KindLog} }
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Engine: e, t: t}
	if h != nil {
		e.Serve(h)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := e.Run(context.Background(), &n.feed); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	eventually(t, "the engine runs", func() bool {
		e.start.Lock()
		defer e.start.Unlock()
		return e.started
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		running.Wait()
	})
	return n
}

func message(text string) wire.Message {
	return wire.Message{Data: wire.JSONData(fmt.Appendf(nil, "%q", text))}
}

func (n *node) try(channel, idem, text string) (engine.Receipt, error) {
	return engine.PublishWait(context.Background(), n, engine.Proposal{Channel: channel, Idem: idem, Message: message(text)})
}

// say publishes and returns the position.
func (n *node) say(channel, text string) engine.Position {
	n.t.Helper()
	r, err := n.try(channel, "", text)
	if err != nil {
		n.t.Fatalf("publish %q: %v", text, err)
	}
	return r.Position
}

// insist publishes under an idempotency id until it succeeds.
func (n *node) insist(channel, text string) engine.Position {
	n.t.Helper()
	var r engine.Receipt
	eventually(n.t, "publish "+text, func() (ok bool) {
		var err error
		r, err = n.try(channel, text, text)
		return err == nil
	})
	return r.Position
}

func (n *node) listen(channel string) engine.Position {
	n.t.Helper()
	p, err := n.Subscribe(context.Background(), channel)
	if err != nil {
		n.t.Fatalf("subscribe: %v", err)
	}
	return p
}

func (n *node) history(channel string, q engine.Query) engine.Page {
	n.t.Helper()
	page, err := n.History(context.Background(), channel, q)
	if err != nil {
		n.t.Fatalf("history: %v", err)
	}
	return page
}

// everything reads a log from its oldest publication on.
func (n *node) everything(channel string) (all []*engine.Publication) {
	n.t.Helper()
	for q := (engine.Query{Last: 1 << 20, Limit: 500}); ; {
		page := n.history(channel, q)
		if !page.Complete {
			n.t.Fatalf("page of %+v is %+v", q, page)
		}
		if all = append(all, page.Publications...); !page.More {
			return all
		}
		q.Last, q.Since = 0, &page.End
	}
}

// text undoes message.
func text(p *engine.Publication) (s string) {
	fmt.Sscanf(string(p.Data.Body), "%q", &s)
	return s
}

// waitFed waits until the channel was fed the publication at p, and returns all that it was fed.
func (n *node) waitFed(channel string, p engine.Position) []*engine.Publication {
	n.t.Helper()
	var fed []*engine.Publication
	eventually(n.t, fmt.Sprintf("%s is fed %+v", channel, p), func() bool {
		fed = n.feed.of(channel)
		return len(fed) > 0 && fed[len(fed)-1].Position == p
	})
	return fed
}

// recorder is a feed that remembers everything.
type recorder struct {
	mu       sync.Mutex
	fed      map[string][]*engine.Publication
	restarts map[string]engine.Position
}

func (r *recorder) Committed(channel string, pubs []*engine.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fed == nil {
		r.fed = map[string][]*engine.Publication{}
	}
	r.fed[channel] = append(r.fed[channel], pubs...)
}

func (r *recorder) Restarted(channel string, top engine.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restarts == nil {
		r.restarts = map[string]engine.Position{}
	}
	r.restarts[channel] = top
}

// restart returns the position at which a channel went on last without joining.
func (r *recorder) restart(channel string) engine.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.restarts[channel]
}

func (r *recorder) of(channel string) []*engine.Publication {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fed[channel]
}

// checkChain checks that publications follow each other.
func checkChain(t testing.TB, pubs []*engine.Publication) {
	t.Helper()
	for i := 1; i < len(pubs); i++ {
		if !follows(pubs[i-1].Position, pubs[i]) {
			t.Fatalf("%+v does not follow %+v", pubs[i].Position, pubs[i-1].Position)
		}
	}
}
