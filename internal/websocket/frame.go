package websocket

import "encoding/binary"

// Opcode says what a frame is (RFC 6455 section 11.8).
type Opcode uint8

// The opcodes.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

func (op Opcode) isControl() bool { return op&0x8 != 0 }

func (op Opcode) isKnown() bool { return op <= OpBinary || op >= OpClose && op <= OpPong }

// Bits and sizes of a frame's header (RFC 6455 section 5.2).
const (
	bitFin   = 0x80
	bitsRSV  = 0x70
	bitsOp   = 0x0F
	bitMask  = 0x80
	bitsSize = 0x7F

	size16 = 126 // the length follows in 2 bytes
	size64 = 127 // the length follows in 8 bytes

	maxControlBytes = 125
	maskBytes       = 4
	maxHeaderBytes  = 2 + 8 + maskBytes
	maxSize16       = 1<<16 - 1
)

// AppendHeader appends the header of a server's frame, unmasked and final, whose payload of payloadBytes the caller
// appends next.
func AppendHeader(dst []byte, op Opcode, payloadBytes int) []byte {
	first := bitFin | byte(op)
	switch {
	case payloadBytes < size16:
		return append(dst, first, byte(payloadBytes))
	case payloadBytes <= maxSize16:
		return binary.BigEndian.AppendUint16(append(dst, first, size16), uint16(payloadBytes))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, size64), uint64(payloadBytes))
	}
}

// appendControl appends a whole control frame. Longer payloads than maxControlBytes do not occur: the parser refuses them
// and closePayload cuts them.
func appendControl(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}
