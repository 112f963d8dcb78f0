package inmemory

import "encoding/binary"

// Opcodes (RFC 6455 section 11.8).
const (
	opText = 0x1
	opPing = 0x9
	opPong = 0xA
)

// frame is one of the server's: neither masked nor a fragment.
type frame struct {
	op      byte
	payload []byte
}

// nextFrame takes the first frame of b, and returns what follows it: nil if b does not begin with a whole frame.
func nextFrame(b []byte) (f frame, rest []byte) {
	if len(b) < 2 {
		return f, nil
	}
	size, header := int(b[1]), 2
	if size == 126 {
		if len(b) < 4 {
			return f, nil
		}
		size, header = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	if size == 127 || len(b) < header+size { // nothing that is measured is over 64 KB
		return f, nil
	}
	return frame{op: b[0] & 0xF, payload: b[header : header+size]}, b[header+size:]
}

// appendFrame appends a client's frame of at most 125 bytes. Its masking key is zero, so the payload is as it was.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op, 0x80|byte(len(payload)), 0, 0, 0, 0)
	return append(dst, payload...)
}
