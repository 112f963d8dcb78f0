package websocket

import (
	"bytes"
	stdflate "compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	oracle "github.com/coder/websocket"
)

// compressed returns what payload is compressed, by the standard library, without the tail that is left out.
func compressed(t testing.TB, payload []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := stdflate.NewWriter(&out, 9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(payload); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte(syncTail))
}

func dialCompressed(t *testing.T, cfg Config) *peer {
	t.Helper()
	cfg.Compression = true
	p, _ := dialPeerWith(t, startStation(t, cfg, newEcho), "Sec-WebSocket-Extensions: permessage-deflate")
	return p
}

// TestCompressedEchoToOracle exchanges messages with a client of which is known that it compresses properly.
func TestCompressedEchoToOracle(t *testing.T) {
	st := startStation(t, Config{MaxMessageBytes: 1 << 20, Compression: true}, newEcho)
	for _, mode := range []oracle.CompressionMode{oracle.CompressionNoContextTakeover, oracle.CompressionContextTakeover} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		conn, _, err := oracle.Dial(ctx, st.http.URL, &oracle.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		conn.SetReadLimit(-1)
		if !(<-st.owners).conn.Compresses() {
			t.Fatalf("mode %v: not agreed upon", mode)
		}
		for _, size := range []int{0, 1, 125, 128, 1_000, 32_768, 65_535, 1 << 20} {
			for name, payload := range map[string][]byte{"text": []byte(strings.Repeat("häh ", size/5)), "noise": noise(size)} {
				kind := oracle.MessageBinary
				if name == "text" {
					kind = oracle.MessageText
				}
				if err := exchange(t, conn, kind, payload); err != nil {
					t.Fatalf("mode %v, %d bytes of %s: %v", mode, size, name, err)
				}
			}
		}
	}
}

// noise returns bytes that no compression makes shorter.
func noise(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(b) // never fails
	return b
}

func TestCompressedMessagesOfAPeer(t *testing.T) {
	p := dialCompressed(t, Config{})
	body := compressed(t, []byte("hello, hello, hello"))
	p.send(frame(finText|bitCompressed, string(body)))
	p.want(OpText, "hello, hello, hello")
	p.send(frame(finText, "plain"))
	p.want(OpText, "plain")
	// In fragments, of which the first alone says that it is compressed (section 6.1), with a ping between them.
	p.send(frame(byte(OpText)|bitCompressed, string(body[:3])))
	p.send(frame(bitFin|byte(OpPing), "?"))
	p.want(OpPong, "?")
	p.send(frame(byte(OpContinuation), ""))
	p.send(frame(bitFin|byte(OpContinuation), string(body[3:])))
	p.want(OpText, "hello, hello, hello")
	// Examples of section 7.2.3: a block without compression, one that is the last, and an empty message.
	p.send(frame(finText|bitCompressed, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"))
	p.want(OpText, "Hello")
	p.send(frame(finText|bitCompressed, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
	p.want(OpText, "Hello")
	p.send(frame(finText|bitCompressed, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"))
	p.want(OpText, "Hello")
	p.send(frame(finText|bitCompressed, "\x00"))
	p.want(OpText, "")
}

func TestCompressedMessagesThatAreNone(t *testing.T) {
	for name, row := range map[string]struct {
		frames []byte
		code   uint16
	}{
		"garbage":                  {frame(finText|bitCompressed, "\xff\xff\xff"), CloseInvalidPayload},
		"cut off":                  {frame(finText|bitCompressed, string(compressed(t, noise(500))[:100])), CloseInvalidPayload},
		"something after the end":  {frame(finText|bitCompressed, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00more"), CloseInvalidPayload},
		"not UTF-8":                {frame(finText|bitCompressed, string(compressed(t, []byte("a\xff")))), CloseInvalidPayload},
		"another reserved bit":     {frame(finText|0x20, "a"), CloseProtocolError},
		"both bits":                {frame(finText|bitCompressed|0x10, "a"), CloseProtocolError},
		"a compressed ping":        {frame(bitFin|byte(OpPing)|bitCompressed, "a"), CloseProtocolError},
		"a compressed close":       {frame(bitFin|byte(OpClose)|bitCompressed, ""), CloseProtocolError},
		"a compressed later frame": {append(frame(byte(OpText), "a"), frame(bitFin|bitCompressed, "b")...), CloseProtocolError},
		"a bomb":                   {frame(finText|bitCompressed, string(compressed(t, make([]byte, 50<<20)))), CloseTooBig},
		"one byte too many":        {frame(finText|bitCompressed, string(compressed(t, bytes.Repeat([]byte("a"), 65_537)))), CloseTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			p := dialCompressed(t, Config{})
			p.send(row.frames)
			p.wantClose(row.code)
		})
	}
	t.Run("without an agreement", func(t *testing.T) {
		p := dialPeer(t, startStation(t, Config{Compression: true}, newEcho))
		p.send(frame(finText|bitCompressed, string(compressed(t, []byte("hello")))))
		p.wantClose(CloseProtocolError)
	})
}

// TestBombCostsNoMore compares what is allocated for a message of the limit and for one that would be 50 MB.
func TestBombCostsNoMore(t *testing.T) {
	const limit = 64 << 10
	allowed, bomb := compressed(t, make([]byte, limit)), compressed(t, make([]byte, 50<<20))
	measure := func(payload []byte) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = inflate(payload, limit) // whether it fails is not the question here
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	measure(bomb) // fills the pool
	if small, large := measure(allowed), measure(bomb); large > small+limit {
		t.Errorf("a bomb takes %d bytes, what is allowed %d", large, small)
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		const limit = 10_000
		got, failed := inflate(payload, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes", len(got))
		}
		want, err := io.ReadAll(io.LimitReader(stdflate.NewReader(strings.NewReader(string(payload)+deflateTail)), limit+1))
		if failed == nil && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("%x becomes %x; the standard library says %x, %v", payload, got, want, err)
		}
	})
}

func FuzzAppendCompressed(f *testing.F) {
	f.Add(bytes.Repeat([]byte("hello "), 100))
	f.Fuzz(func(t *testing.T, payload []byte) {
		frame := AppendCompressed(nil, OpBinary, payload)
		head := len(AppendHeader(nil, OpBinary, len(frame)))
		if frame[0]&bitCompressed == 0 {
			if !bytes.HasSuffix(frame, payload) {
				t.Fatalf("%x becomes %x", payload, frame)
			}
			return
		}
		for head > 2 && len(AppendHeader(nil, OpBinary, len(frame)-head)) != head {
			head--
		}
		got, err := inflate(frame[head:], len(payload))
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%x becomes %x, %v", payload, got, err)
		}
	})
}

// BenchmarkCompress shows what compressing costs and saves, for messages of sizes that occur.
func BenchmarkCompress(b *testing.B) {
	for _, size := range []int{128, 512, 2_048, 16_384} {
		var text strings.Builder
		for i := 0; text.Len() < size; i++ {
			fmt.Fprintf(&text, `{"id":%d,"user":"user-%d","text":"message %d of many","read":false},`, i*7919, i%13, i)
		}
		payload := []byte(text.String()[:size])
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var frame []byte
			b.ReportAllocs()
			for b.Loop() {
				frame = AppendCompressed(frame[:0], OpText, payload)
			}
			b.ReportMetric(float64(len(frame))/float64(size), "of-size")
		})
	}
}
