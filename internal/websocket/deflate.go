package websocket

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	// deflateLevel is the fastest: see DESIGN.md for what the others would save.
	deflateLevel = 1
	// deflateFrom is the size of a payload from which compressing is tried. A shorter one hardly shrinks without a
	// message before it to refer to.
	deflateFrom = 128
	// bitCompressed says that a message is compressed (RFC 7692, section 6).
	bitCompressed = 0x40
	// syncTail is what ends flushed data, and what a sender leaves out (RFC 7692, section 7.2.1).
	syncTail = "\x00\x00\xff\xff"
)

// deflater is what compressing takes.
type deflater struct {
	writer *flate.Writer
	out    bytes.Buffer
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, deflateLevel)
	if err != nil {
		panic(err) // the level is a constant of the library's
	}
	return &deflater{writer: w}
}}

// AppendCompressed appends a whole frame with payload, compressed (RFC 7692) if that makes it smaller. It is for connections
// that agreed on compression, and the same for all of them.
func AppendCompressed(dst []byte, op Opcode, payload []byte) []byte {
	if len(payload) < deflateFrom {
		return append(AppendHeader(dst, op, len(payload)), payload...)
	}
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.out.Reset()
	d.writer.Reset(&d.out)
	// Writing to a bytes.Buffer does not fail.
	_, _ = d.writer.Write(payload)
	_ = d.writer.Flush()
	compressed := bytes.TrimSuffix(d.out.Bytes(), []byte(syncTail))
	if len(compressed) >= len(payload) {
		return append(AppendHeader(dst, op, len(payload)), payload...)
	}
	start := len(dst)
	dst = AppendHeader(dst, op, len(compressed))
	dst[start] |= bitCompressed
	return append(dst, compressed...)
}
