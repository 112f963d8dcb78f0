package redis

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"maps"
	"sync"

	"github.com/earshot/earshot/engine"
)

var errNoDeadline = errors.New("a survey needs a deadline")

// survey gathers answers.
type survey struct {
	mu      sync.Mutex
	missing map[string]engine.Node
	answers map[string][]byte
	done    chan struct{} // closed when nobody is missing
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
