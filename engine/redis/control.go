package redis

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

// Bounds of what other nodes may have this node do.
const (
	maxTold  = 1024 // messages that wait; more are dropped
	maxAsked = 64   // surveys that wait
	askers   = 4    // surveys that are answered at once
)

// Kinds of messages between nodes.
const (
	kindTold byte = iota + 1
	kindAsked
	kindAnswer
)

// letter is a message between nodes.
type letter struct {
	kind     byte
	from     string // a run
	survey   uint64 // of a question and its answer
	deadline int64  // of a question, milliseconds since 1970 by the asker's clock
	body     []byte
}

func (l letter) encode() string {
	b := append([]byte{l.kind}, l.from...)
	b = binary.LittleEndian.AppendUint64(b, l.survey)
	b = binary.LittleEndian.AppendUint64(b, uint64(l.deadline))
	return string(append(b, l.body...))
}

func decodeLetter(s string) (letter, error) {
	d := decoder{rest: []byte(s)}
	l := letter{kind: d.byte(), from: string(d.take(runBytes)), survey: d.uint64(), deadline: d.number(), body: d.rest}
	if d.bad || l.kind < kindTold || l.kind > kindAnswer {
		return letter{}, fmt.Errorf("%w: message of a node", errCorrupt)
	}
	return l, nil
}

// control carries messages between nodes.
type control struct {
	nodes   *nodes
	handler engine.NodeHandler // set before Run
	told    chan letter
	asked   chan letter

	mu      sync.Mutex
	surveys map[uint64]*survey // that this node waits for
}

// survey gathers answers.
type survey struct {
	mu      sync.Mutex
	missing map[string]engine.Node
	answers map[string][]byte
	done    chan struct{} // closed when nobody is missing
}

func (c *control) init(n *nodes) {
	c.nodes = n
	c.told, c.asked = make(chan letter, maxTold), make(chan letter, maxAsked)
	c.surveys = make(map[uint64]*survey)
}

// Serve implements engine.Nodes.
func (e *Engine) Serve(h engine.NodeHandler) { e.nodes.control.handler = h }

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
			if c.handler != nil && l.from != c.nodes.run() {
				c.handler.Told(l.from, l.body)
			}
		}
	}
}

// answer answers surveys until ctx ends.
func (c *control) answer(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-c.asked:
			c.answerOne(ctx, l)
		}
	}
}

func (c *control) answerOne(ctx context.Context, l letter) {
	if c.handler == nil {
		return
	}
	asked, cancel := context.WithDeadline(ctx, time.UnixMilli(l.deadline))
	defer cancel()
	body := c.handler.Asked(asked, l.from, l.body)
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

// Survey implements engine.Nodes.
func (e *Engine) Survey(ctx context.Context, question []byte) (engine.Survey, error) {
	if err := e.enter(); err != nil {
		return engine.Survey{}, err
	}
	defer e.leave()
	deadline, ok := ctx.Deadline()
	if !ok {
		return engine.Survey{}, errNoDeadline
	}
	list, err := e.nodes.list(ctx)
	if err != nil {
		return engine.Survey{}, err
	}
	c := &e.nodes.control
	id, s := c.open(list)
	defer c.close(id)
	l := letter{kind: kindAsked, from: e.nodes.run(), survey: id, deadline: deadline.UnixMilli(), body: question}
	if _, err := c.send(ctx, e.keys.tellAll(), l); err != nil {
		return engine.Survey{}, err
	}
	select {
	case <-s.done:
	case <-ctx.Done():
	case <-e.closing:
	}
	return s.result(), nil
}

func (c *control) open(list []engine.Node) (uint64, *survey) {
	var id [8]byte
	rand.Read(id[:]) // never fails: see crypto/rand
	s := &survey{missing: make(map[string]engine.Node), answers: make(map[string][]byte), done: make(chan struct{})}
	for _, node := range list {
		s.missing[node.ID] = node
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	number := binary.LittleEndian.Uint64(id[:])
	c.surveys[number] = s
	return number, s
}

func (c *control) close(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.surveys, id)
}

func (c *control) answered(l letter) {
	c.mu.Lock()
	s := c.surveys[l.survey]
	c.mu.Unlock()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waiting := s.missing[l.from]; !waiting {
		return
	}
	delete(s.missing, l.from)
	s.answers[l.from] = l.body
	if len(s.missing) == 0 {
		close(s.done)
	}
}

func (s *survey) result() engine.Survey {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := engine.Survey{Answers: maps.Clone(s.answers)}
	for _, node := range s.missing {
		r.Missing = append(r.Missing, node)
	}
	return r
}

var _ engine.Nodes = (*Engine)(nil)
