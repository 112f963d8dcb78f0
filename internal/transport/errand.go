package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

const (
	// errandTimeout is how long a request waits for the node that has its exchange.
	errandTimeout = 3 * time.Second
	// maxErrands of a node are under way at once, so that sids out of thin air leave the nodes time for each other.
	maxErrands = 16
	// movingEvery is how often it is asked again while that is moving.
	movingEvery = 50 * time.Millisecond
	// rememberMoved is how long a node remembers that it had an exchange: longer than a move may take.
	rememberMoved = 2 * errandTimeout
)

// errand is what a node asks of the one that has an exchange: to take a POST, or to hand the exchange over to a GET.
type errand struct {
	SID    string
	Move   bool
	N      uint64   `json:",omitempty"`
	Ack    uint64   `json:",omitempty"`
	Frames [][]byte `json:",omitempty"`
}

// errandReply is the answer of a node that has the exchange, or had it a moment ago.
type errandReply struct {
	Found   bool     `json:",omitempty"`
	Moving  bool     `json:",omitempty"` // it is on its way to another node: ask again
	Refusal *refusal `json:",omitempty"`
	Parcel  *parcel  `json:",omitempty"`
}

// parcel is an exchange on its way to another node.
type parcel struct {
	Passport session.Passport
	Hello    wire.Hello
	Held     [][]byte
	First    uint64
	N        uint64 // of the newest POST
	Over     bool   // only what is held is left of it
}

// send asks the other nodes until one has the exchange, or all say that they do not.
func (t *HTTP) send(ctx context.Context, e errand) (errandReply, error) {
	if t.node.Peers == nil || !plausible(e.SID) {
		return errandReply{}, errNoExchange
	}
	ctx, cancel := context.WithTimeout(ctx, errandTimeout)
	defer cancel()
	select {
	case t.asking <- struct{}{}:
		defer func() { <-t.asking }()
	case <-ctx.Done():
		return errandReply{}, errElsewhere
	}
	again := time.NewTicker(movingEvery)
	defer again.Stop()
	for {
		reply, err := t.sendOnce(ctx, e)
		if err != nil || !reply.Moving {
			return reply, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return reply, errElsewhere
		}
	}
}

// errElsewhere is the answer while it is not known what became of an exchange.
var errElsewhere = &wire.ProtocolError{
	Code: wire.CodeUnavailable, Reason: "a server that may have the session did not answer", RetryAfter: time.Second,
}

func (t *HTTP) sendOnce(ctx context.Context, e errand) (errandReply, error) {
	message, err := json.Marshal(e)
	if err != nil {
		return errandReply{}, fmt.Errorf("encode errand: %w", err)
	}
	survey, err := t.node.SendErrand(ctx, message)
	if err != nil {
		if ctx.Err() == nil {
			t.log.Warn("cannot ask the other nodes for an exchange", "error", err)
		}
		return errandReply{}, errElsewhere
	}
	var found errandReply
	for _, answer := range survey.Answers {
		var r errandReply
		switch err := json.Unmarshal(answer, &r); {
		case err != nil:
			continue // a node that knows no errands
		case r.Found:
			return r, nil
		case r.Moving:
			found = r
		}
	}
	switch {
	case found.Moving:
		return found, nil
	case len(survey.Missing) > 0:
		return errandReply{}, errElsewhere
	}
	return errandReply{}, errNoExchange
}

// runErrand answers another node.
func (t *HTTP) runErrand(ctx context.Context, message []byte) []byte {
	var e errand
	if err := json.Unmarshal(message, &e); err != nil {
		t.log.Warn("another node's errand makes no sense", "error", err)
		return nil
	}
	answer, err := json.Marshal(t.replyTo(ctx, e))
	if err != nil {
		t.log.Error("cannot encode the answer to an errand", "error", err)
		return nil
	}
	return answer
}

func (t *HTTP) replyTo(ctx context.Context, e errand) errandReply {
	x, moved := t.lookUp(e.SID)
	if x == nil {
		return errandReply{Moving: moved}
	}
	var p *parcel
	var err error
	if e.Move {
		p, err = t.handOver(ctx, x, e.Ack)
	} else {
		err = t.carried(ctx, x, post{e.N, e.Ack, e.Frames})
	}
	switch {
	case errors.Is(err, errMoving):
		return errandReply{Moving: true}
	case err != nil:
		return errandReply{Found: true, Refusal: refusalOf(err)}
	}
	return errandReply{Found: true, Parcel: p}
}

// carried takes a POST that reached another node. Serving it may take longer than that node waits: then it is repeated.
func (t *HTTP) carried(ctx context.Context, x *exchange, p post) error {
	served := make(chan error, 1)
	t.mu.Lock()
	stopped := t.stopped
	if !stopped {
		t.errands.Go(func() { served <- x.post(context.WithoutCancel(ctx), p) })
	}
	t.mu.Unlock()
	if stopped {
		return errNoExchange
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
