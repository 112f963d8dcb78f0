package websocket

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Close codes of RFC 6455 section 7.4.1 that the package itself sends or that an owner may want.
const (
	CloseNormal         uint16 = 1000
	CloseGoingAway      uint16 = 1001
	CloseProtocolError  uint16 = 1002
	CloseUnsupported    uint16 = 1003 // a kind of data that the endpoint does not take
	CloseNoCode         uint16 = 1005 // the peer's close frame named no code; never sent
	CloseInvalidPayload uint16 = 1007 // text that is not UTF-8
	ClosePolicy         uint16 = 1008
	CloseTooBig         uint16 = 1009
	CloseInternal       uint16 = 1011
)

const maxReasonBytes = maxControlBytes - 2

// CloseError is a close frame: one that the peer sent, or one that we sent or owe it.
type CloseError struct {
	Code   uint16
	Reason string
	Peer   bool // the peer closed
}

func (e *CloseError) Error() string {
	who := "closed"
	if e.Peer {
		who = "closed by the peer"
	}
	if e.Reason == "" {
		return fmt.Sprintf("websocket: %s with %d", who, e.Code)
	}
	return fmt.Sprintf("websocket: %s with %d: %s", who, e.Code, e.Reason)
}

func violation(code uint16, reason string) *CloseError {
	return &CloseError{Code: code, Reason: reason}
}

// mayBeSent reports whether code may stand in a close frame: those of the RFC and of its registry, and those left to
// libraries and applications.
func mayBeSent(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}

// parseClose reads the payload of a peer's close frame. The second result is the violation that it is, or nil.
func parseClose(payload []byte) (*CloseError, *CloseError) {
	if len(payload) == 0 {
		return &CloseError{Code: CloseNoCode, Peer: true}, nil
	}
	if len(payload) == 1 {
		return nil, violation(CloseProtocolError, "close frame of one byte")
	}
	code, reason := binary.BigEndian.Uint16(payload), payload[2:]
	if !mayBeSent(code) {
		return nil, violation(CloseProtocolError, "close code is not valid")
	}
	if !utf8.Valid(reason) {
		return nil, violation(CloseInvalidPayload, "close reason is not UTF-8")
	}
	return &CloseError{Code: code, Reason: string(reason), Peer: true}, nil
}

// appendClose appends a close frame. CloseNoCode makes it an empty one.
func appendClose(dst []byte, code uint16, reason string) []byte {
	if code == CloseNoCode {
		return AppendHeader(dst, OpClose, 0)
	}
	dst = AppendHeader(dst, OpClose, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, code)
	return append(dst, reason...)
}

// sendableClose returns a close that fits into a frame: a code that may not be sent becomes CloseInternal, a reason that
// is not UTF-8 is repaired, and a long one is cut between characters.
func sendableClose(code uint16, reason string) *CloseError {
	if !mayBeSent(code) {
		code = CloseInternal
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReasonBytes {
		reason = reason[:maxReasonBytes]
		reason = reason[:len(reason)-partialTail([]byte(reason))]
	}
	return &CloseError{Code: code, Reason: reason}
}
