package wire

import "time"

// Call asks a session, or the server, for something. Returned or an Error answers it.
type Call struct {
	To      string // the public id of a session; empty: the server
	Method  string
	Data    Data
	Timeout time.Duration // zero: DefaultCallTimeout. Milliseconds on the wire
	Idem    string        // the same call under the same id by the same user is made once
}

// Returned answers a Call.
type Returned struct{ Data Data }

// Invocation is a Call that this client is to answer with a Result.
type Invocation struct {
	From    string // the public id of the session that calls; empty: the server
	User    string // its identity; empty for an anonymous client
	Method  string
	Data    Data
	Timeout time.Duration // how long the caller still waits. Milliseconds on the wire
}

// Result answers an Invocation.
type Result struct {
	Data  Data
	Error string // what went wrong, for the caller to read; then there is no data
}

func (Call) clientBody()       {}
func (Result) clientBody()     {}
func (Returned) serverBody()   {}
func (Invocation) serverBody() {}
