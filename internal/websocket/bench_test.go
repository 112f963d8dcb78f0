package websocket

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func BenchmarkUnmask(b *testing.B) {
	for _, size := range []int{16, 128, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			buf := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				unmask(buf, 0x12345678)
			}
		})
	}
}

// BenchmarkParse parses messages as they come from a socket: small ones, many to a read, and large ones over many reads.
func BenchmarkParse(b *testing.B) {
	for _, size := range []int{16, 128, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			one := maskedFrame(finText, strings.Repeat("x", size), 0) // a key of zeros, so that it can be parsed again
			stream := slices.Concat(slices.Repeat([][]byte{one}, max(1, (8<<10)/len(one)))...)
			p := newTestParser(1<<20, 1024)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for chunk := range slices.Chunk(stream, 8<<10) {
					for len(chunk) > 0 {
						_, rest, err := p.next(chunk)
						if err != nil {
							b.Fatal(err)
						}
						chunk = rest
					}
				}
			}
		})
	}
}

// broadcaster is a Handler that says one shared frame for every Notify.
type broadcaster struct {
	*owner
	frame []byte
	due   atomic.Int64
}

func (o *broadcaster) Fill(dst []byte, limit int) ([]byte, bool) {
	n := min(o.due.Load(), int64(max(1, limit/len(o.frame))))
	for range n {
		dst = append(dst, o.frame...)
	}
	return dst, o.due.Add(-n) > 0
}

// BenchmarkFlush broadcasts a frame of 128 bytes to 100 peers over loopback, with so many broadcasts under way. An
// operation is a frame for one peer; the peers' reading is included.
func BenchmarkFlush(b *testing.B) {
	for _, underWay := range []int{1, 16} {
		b.Run(fmt.Sprintf("underway=%d", underWay), func(b *testing.B) { benchmarkFlush(b, underWay) })
	}
}

func benchmarkFlush(b *testing.B, underWay int) {
	const count = 100
	frame := append(AppendHeader(nil, OpBinary, 126), make([]byte, 126)...)
	st := startStation(b, Config{PingInterval: noPings}, newOwner)
	var reading sync.WaitGroup
	var handlers []*broadcaster
	rounds := max(1, b.N/count/underWay)
	var received sync.WaitGroup // of the round
	for range count {
		p := dialPeer(b, st)
		o := <-st.owners
		h := &broadcaster{owner: o, frame: frame}
		o.conn.handler = h
		handlers = append(handlers, h)
		reading.Go(func() {
			buf := make([]byte, underWay*len(frame))
			for range rounds {
				_, err := io.ReadFull(p.r, buf)
				received.Done()
				if err != nil || !bytes.HasPrefix(buf, frame) {
					b.Errorf("read: %v", err)
				}
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range rounds {
		received.Add(count)
		for range underWay {
			for _, h := range handlers {
				h.due.Add(1)
				h.conn.Notify()
			}
		}
		received.Wait()
	}
	reading.Wait()
}
