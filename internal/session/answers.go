package session

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/earshot/earshot/wire"
)

const (
	// answersWindow is how long the answer to a call with an idempotency id is remembered.
	answersWindow = 5 * time.Minute
	// maxAnswers and maxAnswerBytes bound what is remembered; beyond, the oldest answers are forgotten sooner.
	maxAnswers     = 10_000
	maxAnswerBytes = 16 << 20
)

// answers remembers those to calls with an idempotency id, so that a repeated call is carried out once.
type answers struct {
	mu    sync.Mutex
	byKey map[answerKey]*pastCall
	order []*pastCall // oldest first
	bytes int
}

// answerKey scopes an idempotency id: by user, or by session for an anonymous client.
type answerKey struct{ scope, idem string }

// pastCall is a call that was made, and its answer once done is closed.
type pastCall struct {
	key  answerKey
	call wire.Call
	at   time.Time
	done chan struct{}
	data wire.Data
	err  error
}

func (p *pastCall) size() int { return len(p.call.Data.Body) + len(p.data.Body) }

// once runs the call unless it was made before; then it waits for that one's answer.
func (a *answers) once(ctx context.Context, s *Session, c wire.Call, run func() (wire.Data, error)) (wire.Data, error) {
	if c.Idem == "" {
		return run()
	}
	key := answerKey{"user " + s.user, c.Idem}
	if s.user == "" {
		key.scope = "session " + s.id
	}
	past, first := a.begin(key, c)
	if first {
		past.data, past.err = run()
		a.finish(past)
		return past.data, past.err
	}
	if past.call.Method != c.Method || past.call.To != c.To || !bytes.Equal(past.call.Data.Body, c.Data.Body) {
		return wire.Data{}, &wire.ProtocolError{Code: wire.CodeIdemReused}
	}
	select {
	case <-past.done:
		return past.data, past.err
	case <-ctx.Done():
		return wire.Data{}, ctx.Err()
	}
}

// begin returns the call that was made under key, or notes that it is made now.
func (a *answers) begin(key answerKey, c wire.Call) (past *pastCall, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if past = a.byKey[key]; past != nil {
		return past, false
	}
	if a.byKey == nil {
		a.byKey = make(map[answerKey]*pastCall)
	}
	past = &pastCall{key: key, call: c, at: time.Now(), done: make(chan struct{})}
	a.byKey[key] = past
	a.order = append(a.order, past)
	a.bytes += past.size()
	return past, true
}

// finish tells those who wait. A refusal is an answer like others. What failed for the moment is not remembered: the call
// may be made again.
func (a *answers) finish(past *pastCall) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if past.err != nil && !refused(past.err) && a.byKey[past.key] == past {
		delete(a.byKey, past.key)
	}
	a.bytes += len(past.data.Body)
	close(past.done)
	a.forgetLocked(time.Now())
}

// refused reports whether repeating the call will not help.
func refused(err error) bool {
	var p *wire.ProtocolError
	return errors.As(err, &p) && p.Code < wire.CodeInternal && p.Code != wire.CodeNoSession
}

// sweep forgets what is too old.
func (a *answers) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgetLocked(now)
}

func (a *answers) forgetLocked(now time.Time) {
	for len(a.order) > 0 {
		oldest := a.order[0]
		if now.Sub(oldest.at) < answersWindow && len(a.order) <= maxAnswers && a.bytes <= maxAnswerBytes {
			return
		}
		select {
		case <-oldest.done:
		default:
			return // under way: at most a few minutes more
		}
		a.bytes -= oldest.size()
		if a.byKey[oldest.key] == oldest {
			delete(a.byKey, oldest.key)
		}
		a.order[0] = nil
		a.order = a.order[1:]
	}
}
