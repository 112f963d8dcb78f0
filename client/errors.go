package client

import (
	"errors"

	"github.com/earshot/earshot/wire"
)

// Error is the server's refusal: a stable code and a reason that may be shown. As the error of [State] with a close code
// of the 4000s it is why the client ended.
type Error = wire.ProtocolError

// Errors of this package. A caller finds them with errors.Is.
var (
	// ErrClosed: the client or the subscription was closed by its owner.
	ErrClosed = errors.New("closed")
	// ErrOutcomeUnknown: a publish or another request was not settled for so long after it was first sent that the server may
	// have forgotten its idempotency id, or a call not before its session was lost. It may or may not have been carried out,
	// and repeating it could do it twice.
	ErrOutcomeUnknown = errors.New("outcome unknown: sent, not settled, and too old to repeat")
)

var (
	errSilent  = errors.New("the server fell silent")
	errBacklog = errors.New("the server does not read what it is sent")
)
