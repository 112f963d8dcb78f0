package websocket

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// found is what a parser made of a stream: events, how it failed if it did, and whether it ended amid something.
type found struct {
	events   []event
	code     uint16 // zero: no failure
	underway bool
}

// feed runs the parser over a stream in pieces of at most size.
func feed(stream []byte, size int, limits parser) found {
	var f found
	p := &limits
	for len(stream) > 0 {
		n := min(size, len(stream))
		for data := bytes.Clone(stream[:n]); len(data) > 0; {
			ev, rest, err := p.next(data)
			if err != nil {
				f.code = err.Code
				return f
			}
			if ev.op != OpContinuation {
				f.events = append(f.events, event{ev.op, bytes.Clone(ev.payload)})
			}
			data = rest
		}
		stream = stream[n:]
	}
	f.underway = p.underway()
	return f
}

// naive parses a stream the straightforward way: a frame at a time, the whole stream in memory, text checked anew from its
// beginning with every frame.
func naive(stream []byte, maxMessageBytes, maxFrames int) found {
	var f found
	var op Opcode
	var message []byte
	frames := 0
	for len(stream) > 0 {
		header, size, code := naiveHeader(stream, op != OpContinuation)
		if code != 0 {
			f.code = code
			return f
		}
		if header == 0 {
			f.underway = true
			return f
		}
		kind, final := Opcode(stream[0]&0x0F), stream[0]&0x80 != 0
		if !kind.isControl() && (size > uint64(maxMessageBytes-len(message)) || frames == maxFrames) {
			f.code = CloseTooBig
			return f
		}
		payload := naivePayload(stream, header, size)
		whole := uint64(len(payload)) == size
		stream = stream[header+len(payload):]
		if kind.isControl() {
			if whole {
				f.events = append(f.events, event{kind, payload})
			} else {
				f.underway = true
			}
			continue
		}
		if kind != OpContinuation {
			op = kind
		}
		frames++
		message = append(message, payload...)
		if op == OpText && !(canBegin(message) && (!final || !whole || utf8.Valid(message))) {
			f.code = CloseInvalidPayload
			return f
		}
		if !whole {
			break
		}
		if final {
			f.events = append(f.events, event{op, message})
			op, message, frames = OpContinuation, nil, 0
		}
	}
	f.underway = f.underway || op != OpContinuation
	return f
}

// naivePayload returns the frame's payload, unmasked, or as much of it as there is.
func naivePayload(stream []byte, header int, size uint64) []byte {
	key := stream[header-4 : header]
	payload := bytes.Clone(stream[header:])
	if uint64(len(payload)) > size {
		payload = payload[:size]
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return payload
}

// naiveHeader reads a header. It returns zero if it is not whole.
func naiveHeader(b []byte, inMessage bool) (header int, size uint64, code uint16) {
	if len(b) < 2 {
		return 0, 0, 0
	}
	op := b[0] & 0x0F
	short := b[1] & 0x7F
	control := op >= 8
	switch {
	case b[0]&0x70 != 0, b[1]&0x80 == 0,
		op != 0 && op != 1 && op != 2 && op != 8 && op != 9 && op != 10,
		control && (b[0]&0x80 == 0 || short > 125),
		op == 0 && !inMessage, (op == 1 || op == 2) && inMessage:
		return 0, 0, CloseProtocolError
	}
	header, size = 6, uint64(short)
	switch {
	case short == 126 && len(b) >= 8:
		header, size = 8, uint64(binary.BigEndian.Uint16(b[2:]))
	case short == 127 && len(b) >= 14:
		header, size = 14, binary.BigEndian.Uint64(b[2:])
	case short >= 126 || len(b) < 6:
		return 0, 0, 0
	}
	if short == 126 && size < 126 || short == 127 && (size < 65536 || size >= 1<<63) {
		return 0, 0, CloseProtocolError
	}
	return header, size, 0
}

// Limits of the fuzzed parser: small, so that they are reached.
const (
	fuzzMessageBytes = 300
	fuzzFrames       = 8
)

// FuzzParser compares the parser with the naive one, and with itself for other cuts.
func FuzzParser(f *testing.F) {
	for _, r := range brokenRules() {
		if len(r.sent) < 1000 {
			f.Add(r.sent)
		}
	}
	f.Add(append(frame(finText, "héllo"), frame(finPing, "x")...))
	f.Add(fragments("κόσ"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		limits := parser{maxMessageBytes: fuzzMessageBytes, maxFrames: fuzzFrames}
		whole := feed(stream, len(stream)+1, limits)
		if want := naive(stream, fuzzMessageBytes, fuzzFrames); !same(whole, want) {
			t.Fatalf("parser: %+v\nnaive: %+v", whole, want)
		}
		for _, size := range []int{1, 2, 3, 7, 64} {
			if cut := feed(stream, size, limits); !same(cut, whole) {
				t.Fatalf("in pieces of %d: %+v\nin one: %+v", size, cut, whole)
			}
		}
	})
}

func same(a, b found) bool {
	if a.code != b.code || a.underway != b.underway || len(a.events) != len(b.events) {
		return false
	}
	for i := range a.events {
		if a.events[i].op != b.events[i].op || !bytes.Equal(a.events[i].payload, b.events[i].payload) {
			return false
		}
	}
	return true
}

// FuzzTextChecker compares the incremental check with the standard library's, cut in two places, and wants a bad byte
// found in the piece that it is in.
func FuzzTextChecker(f *testing.F) {
	for _, text := range badTexts {
		f.Add([]byte(text), uint8(1), uint8(2))
	}
	f.Add([]byte("κόσμε😀"), uint8(3), uint8(11))
	f.Fuzz(func(t *testing.T, text []byte, first, second uint8) {
		a := min(int(first), len(text))
		b := a + min(int(second), len(text)-a)
		var c textChecker
		ok := true
		for _, piece := range []struct{ from, to int }{{0, a}, {a, b}, {b, len(text)}} {
			ok = ok && c.check(text[piece.from:piece.to])
			if want := canBegin(text[:piece.to]); ok != want {
				t.Fatalf("%q: %v, want %v", text[:piece.to], ok, want)
			}
		}
		if got, want := ok && c.complete(), utf8.Valid(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}

// canBegin reports whether b is the beginning of some UTF-8 text.
func canBegin(b []byte) bool {
	for len(b) > 0 {
		if !utf8.FullRune(b) {
			return true
		}
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return false
		}
		b = b[size:]
	}
	return true
}

// TestUnmask compares with the definition, for every alignment and cut.
func TestUnmask(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for size := range 100 {
		for cut := range size + 1 {
			key := random.Uint32()
			got, want := make([]byte, size), make([]byte, size)
			for i := range got {
				got[i] = byte(random.Uint32())
				want[i] = got[i] ^ byte(key>>(8*(i%4)))
			}
			turned := unmask(got[:cut], key)
			unmask(got[cut:], turned)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes cut at %d with key %08x", size, cut, key)
			}
		}
	}
}

func TestAppendHeader(t *testing.T) {
	for size, want := range map[int][]byte{
		0:       {0x82, 0},
		125:     {0x82, 125},
		126:     {0x82, 126, 0, 126},
		65_535:  {0x82, 126, 0xFF, 0xFF},
		65_536:  {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0},
		1 << 30: {0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0},
	} {
		if got := AppendHeader([]byte("x"), OpBinary, size); !bytes.Equal(got[1:], want) || got[0] != 'x' {
			t.Errorf("%d: % x, want % x", size, got[1:], want)
		}
	}
}
