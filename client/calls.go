package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/earshot/earshot/wire"
)

// CallOptions adjust one call.
type CallOptions struct {
	// To is the public id of the session that is to answer; empty: the server.
	To string
	// Idem is the idempotency id: the same call under the same id by the same user, or by the same anonymous session, is
	// made once, for 5 minutes, and answered alike. Empty: the client makes one, which covers its own repeats.
	Idem string
}

// Call asks the server, or another session, for something and waits for the answer until ctx ends: for 10 s, if ctx has no
// deadline. It is repeated, with the same id, when the connection broke before the answer came.
//
// Errors: an *Error, which is not tried again (CodeCallFailed with a reason if who was called says so, CodeNoHandler,
// CodeNoSession, CodeTimeout); ErrOutcomeUnknown, ErrClosed, or that of ctx; after a timeout and the last three the call may
// have been made.
func (c *Client) Call(ctx context.Context, method string, data Data, opts CallOptions) (Data, error) {
	ctx, cancel := context.WithTimeout(ctx, patience(ctx))
	defer cancel()
	request := wire.Call{
		To: opts.To, Method: method, Data: data, Idem: cmp.Or(opts.Idem, rand.Text()),
		Timeout: min(max(patience(ctx).Truncate(time.Millisecond), time.Millisecond), wire.MaxCallTimeout),
	}
	answer, err := c.askCall(ctx, request)
	if err != nil {
		return Data{}, fmt.Errorf("call %q: %w", method, err)
	}
	return answer, nil
}

// patience is how long a call waits for its answer.
func patience(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return wire.DefaultCallTimeout
}

func (c *Client) askCall(ctx context.Context, request wire.Call) (Data, error) {
	if !utf8.ValidString(request.To + request.Method + request.Idem) {
		return Data{}, wire.Errorf(wire.CodeBadFrame, "the call has text that is not UTF-8")
	}
	if err := wire.ValidateMessage(Message{Data: request.Data}); err != nil {
		return Data{}, err
	}
	bytes, err := measure(request)
	if err != nil {
		return Data{}, err
	}
	a := c.askOnce(ctx, &call{body: request, bytes: bytes, result: make(chan answer, 1)})
	if a.err != nil {
		return Data{}, a.err
	}
	returned, ok := a.body.(wire.Returned)
	if !ok {
		return Data{}, fmt.Errorf("the server answered with %T", a.body)
	}
	return returned.Data, nil
}
