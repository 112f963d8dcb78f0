package earshot

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/wire"
)

// Call asks a session, by its id, for something and returns what its client answers. It waits until ctx ends: for 10 s, if
// ctx has no deadline. The client's hooks for calls to other sessions do not apply.
//
// Errors: a *wire.ProtocolError of CodeNoSession if the session is not there, has no connection or loses it before it answers, of
// CodeCallFailed with the client's reason, or of CodeTooManyCalls; or that of ctx. After the end of ctx, and after
// CodeNoSession, the client may have done what it was asked for.
func (s *Server) Call(ctx context.Context, session, method string, data Data) (Data, error) {
	if err := wire.ValidateMethod(method); err != nil {
		return Data{}, err
	}
	if err := wire.ValidateMessage(wire.Message{Data: data}); err != nil {
		return Data{}, err
	}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wire.DefaultCallTimeout)
		defer cancel()
	}
	answer, err := s.node.Ask(ctx, session, wire.Invocation{Method: method, Data: data})
	if err != nil {
		return Data{}, fmt.Errorf("call %q of session %q: %w", method, session, err)
	}
	return answer, nil
}
