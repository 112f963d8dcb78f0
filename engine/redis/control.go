package redis

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

// Bounds of what other nodes may have this node do.
const (
	maxTold      = 1024 // messages that wait; more are dropped
	maxAsked     = 64   // surveys that wait
	maxAnswering = 512  // surveys that are answered at once: many wait for what a client says
)

// control carries messages between nodes.
type control struct {
	nodes *nodes
	told  chan letter
	asked chan letter

	mu      sync.Mutex
	handler engine.NodeHandler // guarded by mu; nil: this node hears nothing
	surveys map[uint64]*survey // guarded by mu: those that this node waits for
}

func (c *control) init(n *nodes) {
	c.nodes = n
	c.told, c.asked = make(chan letter, maxTold), make(chan letter, maxAsked)
	c.surveys = make(map[uint64]*survey)
}

// Serve implements engine.Nodes.
func (e *Engine) Serve(h engine.NodeHandler) {
	c := &e.nodes.control
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

func (c *control) served() engine.NodeHandler {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handler
}

// names returns the feeds that this node hears messages on.
func (c *control) names() []string {
	k := c.nodes.engine.keys
	return []string{k.tellAll(), k.tellOne(c.nodes.run())}
}

func (c *control) hears(name string) bool { return slices.Contains(c.names(), name) }

// listen has Redis send the messages for this node's present run.
func (c *control) listen(ctx context.Context) error {
	for _, name := range c.names() {
		if err := c.nodes.engine.listeners.subscribe(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// stop ends listening for a run that has ended.
func (c *control) stop(ctx context.Context, run string) {
	c.nodes.engine.listeners.unsubscribe(ctx, c.nodes.engine.keys.tellOne(run))
}

// receive takes a message from Redis. It does not block: what is too much is dropped, as messages may be.
func (c *control) receive(message string) {
	l, err := decodeLetter(message)
	log := c.nodes.engine.options.Logger
	if err != nil {
		log.Error("cannot read a message of a node", "error", err)
		return
	}
	if l.kind == kindAnswer {
		c.answered(l)
		return
	}
	queue := c.told
	if l.kind == kindAsked {
		queue = c.asked
	}
	select {
	case queue <- l:
	default:
		log.Warn("a message of a node was dropped: too many wait", "from", l.from)
	}
}

// hear hands messages to the handler, in order, until ctx ends.
func (c *control) hear(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-c.told:
			if h := c.served(); h != nil && l.from != c.nodes.run() {
				h.Told(l.from, l.body)
			}
		}
	}
}

// answer answers surveys until ctx ends, and then waits for those that are being answered.
func (c *control) answer(ctx context.Context) {
	var answering sync.WaitGroup
	defer answering.Wait()
	room := make(chan struct{}, maxAnswering)
	for {
		select {
		case <-ctx.Done():
			return
		case room <- struct{}{}:
		}
		select {
		case <-ctx.Done():
			return
		case l := <-c.asked:
			answering.Go(func() {
				c.answerOne(ctx, l)
				<-room
			})
		}
	}
}

func (c *control) answerOne(ctx context.Context, l letter) {
	h := c.served()
	if h == nil {
		return
	}
	asked, cancel := context.WithDeadline(ctx, time.UnixMilli(l.deadline))
	defer cancel()
	body := h.Asked(asked, l.from, l.body)
	if asked.Err() != nil {
		return // nobody waits for it any more
	}
	reply := letter{kind: kindAnswer, from: c.nodes.run(), survey: l.survey, body: body}
	if _, err := c.send(ctx, c.nodes.engine.keys.tellOne(l.from), reply); err != nil && ctx.Err() == nil {
		c.nodes.engine.options.Logger.Warn("cannot answer a node", "to", l.from, "error", err)
	}
}

// send sends a letter and returns how many nodes heard it.
func (c *control) send(ctx context.Context, name string, l letter) (int64, error) {
	e := c.nodes.engine
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	command := e.client.B().Spublish().Channel(name).Message(l.encode()).Build()
	heard, err := e.client.Do(ctx, command).AsInt64()
	return heard, unavailable("send to nodes", err)
}

// Tell implements engine.Nodes.
func (e *Engine) Tell(ctx context.Context, id string, message []byte) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	l := letter{kind: kindTold, from: e.nodes.run(), body: message}
	if id == "" {
		_, err := e.nodes.control.send(ctx, e.keys.tellAll(), l)
		return err
	}
	heard, err := e.nodes.control.send(ctx, e.keys.tellOne(id), l)
	if err == nil && heard == 0 {
		return engine.ErrNoNode
	}
	return err
}

var _ engine.Nodes = (*Engine)(nil)
