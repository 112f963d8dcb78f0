package wire

import (
	"fmt"
	"time"
)

// Code says what went wrong, the same number in every version. Codes below 1000 answer one frame; those from 4000 close
// a connection and are WebSocket close codes (RFC 6455 section 7.4.2).
type Code uint16

// Codes of errors. From 100: the request is wrong, repeating it will not help. From 200: authenticate anew. From 300:
// try again later.
const (
	CodeBadFrame          Code = 100
	CodeBadChannel        Code = 101
	CodeBadPosition       Code = 102
	CodeForbidden         Code = 103
	CodeTooLarge          Code = 104
	CodeNotSubscribed     Code = 105
	CodeAlreadySubscribed Code = 106
	CodeTooManyChannels   Code = 107
	CodeIdemReused        Code = 108
	CodeNoHistory         Code = 109
	CodeHelloTwice        Code = 110
	CodeRejected          Code = 111
	CodeVersionMismatch   Code = 112
	CodeTooManyKeys       Code = 113
	CodeWrongKind         Code = 114
	CodeNoHandler         Code = 115
	CodeNoSession         Code = 116
	CodeCallFailed        Code = 117
	CodeTooManyCalls      Code = 118

	CodeUnauthorized Code = 200
	CodeTokenExpired Code = 201

	CodeInternal    Code = 300
	CodeUnavailable Code = 301
	CodeDiskFull    Code = 302
	CodeTimeout     Code = 303
	CodeDraining    Code = 304
)

// Close codes. 4000s: do not come back. 4100s: come back after the delay that Bye names, or a backoff of your own.
// 4200s: come back at once.
const (
	CloseBadFrame     Code = 4000
	CloseUnauthorized Code = 4001
	CloseDisconnected Code = 4002

	CloseDraining     Code = 4100
	CloseStalled      Code = 4101
	CloseHelloTimeout Code = 4102
	CloseOverloaded   Code = 4103

	CloseReconnect    Code = 4200
	CloseMoved        Code = 4201
	CloseTokenExpired Code = 4202
)

// codeTable is the one list of codes: protocol.md repeats it, and a test holds the two together.
var codeTable = map[Code]struct{ name, text string }{
	CodeBadFrame:          {"bad_frame", "the frame is not valid"},
	CodeBadChannel:        {"bad_channel", "the channel name is not valid or belongs to no namespace"},
	CodeBadPosition:       {"bad_position", "the position is not one of this channel"},
	CodeForbidden:         {"forbidden", "no rule allows this"},
	CodeTooLarge:          {"too_large", "the frame or one of its fields is over its limit"},
	CodeNotSubscribed:     {"not_subscribed", "there is no such subscription"},
	CodeAlreadySubscribed: {"already_subscribed", "the session has this subscription"},
	CodeTooManyChannels:   {"too_many_channels", "the session has as many subscriptions as it may"},
	CodeIdemReused:        {"idem_reused", "the idempotency id was used for another message"},
	CodeNoHistory:         {"no_history", "the channel keeps nothing"},
	CodeHelloTwice:        {"hello_twice", "the session is already open"},
	CodeRejected:          {"rejected", "the application refused it"},
	CodeVersionMismatch:   {"version_mismatch", "the key has another version"},
	CodeTooManyKeys:       {"too_many_keys", "the map has as many keys as it may"},
	CodeWrongKind:         {"wrong_kind", "the channel is not of the kind that this needs"},
	CodeNoHandler:         {"no_handler", "nobody answers such calls"},
	CodeNoSession:         {"no_session", "there is no such session here or anywhere"},
	CodeCallFailed:        {"call_failed", "whoever was called answered with an error"},
	CodeTooManyCalls:      {"too_many_calls", "the connection has as many calls under way as it may"},
	CodeUnauthorized:      {"unauthorized", "the token is missing or not valid"},
	CodeTokenExpired:      {"token_expired", "the token has expired"},
	CodeInternal:          {"internal", "the server failed"},
	CodeUnavailable:       {"unavailable", "the store cannot commit now"},
	CodeDiskFull:          {"disk_full", "the store has no room to commit"},
	CodeTimeout:           {"timeout", "the answer did not come in time"},
	CodeDraining:          {"draining", "the server is about to stop"},
	CloseBadFrame:         {"bad_frame", "the client broke the protocol"},
	CloseUnauthorized:     {"unauthorized", "the client may not connect"},
	CloseDisconnected:     {"disconnected", "the application ended the session"},
	CloseDraining:         {"draining", "the server is about to stop"},
	CloseStalled:          {"stalled", "the client read nothing for too long"},
	CloseHelloTimeout:     {"hello_timeout", "hello did not come in time"},
	CloseOverloaded:       {"overloaded", "the server has as many connections as it may"},
	CloseReconnect:        {"reconnect", "the application asks the client to connect anew"},
	CloseMoved:            {"moved", "the session goes on over another connection"},
	CloseTokenExpired:     {"token_expired", "the token has expired: come back with a fresh one"},
}

// String returns the code's stable name, such as "forbidden".
func (c Code) String() string {
	if e, ok := codeTable[c]; ok {
		return e.name
	}
	return fmt.Sprintf("code_%d", uint16(c))
}

// Text returns a sentence for people, without a full stop.
func (c Code) Text() string { return codeTable[c].text }

// Returns reports whether a client that was closed with c may come back.
func (c Code) Returns() bool { return c < 4000 || c >= 4100 }

// Temporary reports whether the same request may succeed later.
func (c Code) Temporary() bool { return c >= 300 && c < 400 }

// ProtocolError is an error that may be shown to a client: a stable code and a reason without secrets.
type ProtocolError struct {
	Code       Code
	Reason     string        // empty means Code.Text
	RetryAfter time.Duration // zero: the client's own backoff
}

// Errorf returns a ProtocolError whose reason is formatted.
func Errorf(code Code, format string, args ...any) *ProtocolError {
	return &ProtocolError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

func (e *ProtocolError) Error() string {
	if e.Reason == "" {
		return e.Code.String() + ": " + e.Code.Text()
	}
	return e.Code.String() + ": " + e.Reason
}
