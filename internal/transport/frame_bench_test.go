package transport

import (
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// BenchmarkPublication encodes a publication of 256 bytes, once for all WebSocket subscribers.
func BenchmarkPublication(b *testing.B) {
	s := &socket{encoding: &encodings[0]}
	data := append(append([]byte{'"'}, make([]byte, 254)...), '"')
	for i := range data[1:255] {
		data[1+i] = 'x'
	}
	p := &engine.Publication{
		Position: engine.Position{Epoch: 1 << 60, Offset: 1234, Tag: 5678}, UnixMS: 1_700_000_000_000,
		Message: wire.Message{Data: wire.JSONData(data)},
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Publication("bench:c-1234", p)
	}
}
