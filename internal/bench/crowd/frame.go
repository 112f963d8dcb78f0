//go:build linux

package crowd

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes (RFC 6455 section 11.8).
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

// maxFrameBytes bounds a server's frame; no measurement sends longer ones.
const maxFrameBytes = 1 << 20

var errFrame = errors.New("the server sent what is no WebSocket frame")

// mask is the masking key of every frame. A load generator has nothing to hide from proxies.
const mask = 0x5AA51234

// appendFrame appends a masked frame.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = binary.BigEndian.AppendUint32(dst, mask)
	key := dst[len(dst)-4:]
	for i, b := range payload {
		dst = append(dst, b^key[i%4])
	}
	return dst
}

// eachFrame calls take for each whole frame at the beginning of data, until it fails, and returns what is left.
// Fragments are not put together: no measured server sends any.
func eachFrame(data []byte, take func(op byte, payload []byte) error) (rest []byte, err error) {
	for {
		header, size, ok := frameSize(data)
		if size > maxFrameBytes {
			return nil, fmt.Errorf("%w: it is %d bytes long", errFrame, size)
		}
		if !ok || len(data) < header+size {
			return data, nil
		}
		if data[0]&0x70 != 0 || data[1]&0x80 != 0 { // extension bits, or masked
			return nil, errFrame
		}
		if err := take(data[0]&0xF, data[header:header+size]); err != nil {
			return nil, err
		}
		data = data[header+size:]
	}
}

// frameSize returns the lengths of a frame's header and payload, once they are there.
func frameSize(data []byte) (header, size int, ok bool) {
	if len(data) < 2 {
		return 0, 0, false
	}
	switch n := int(data[1] & 0x7F); {
	case n < 126:
		return 2, n, true
	case n == 126 && len(data) >= 4:
		return 4, int(binary.BigEndian.Uint16(data[2:])), true
	case n == 127 && len(data) >= 10:
		return 10, int(min(binary.BigEndian.Uint64(data[2:]), maxFrameBytes+1)), true
	}
	return 0, 0, false
}
