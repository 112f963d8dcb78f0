package websocket

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// rawFrame returns a client's frame with a header of the test's own making: the two first bytes, the extended length, a
// mask of zeros.
func rawFrame(first, second byte, extended ...byte) []byte {
	return append(append([]byte{first, second | bitMask}, extended...), 0, 0, 0, 0)
}

// rule is something a peer does and the close code that answers it.
type rule struct {
	name string
	sent []byte
	code uint16
}

// brokenRules are all the ways that a peer can break RFC 6455 in what it sends, section by section.
func brokenRules() []rule {
	rules := []rule{
		{"5.1 not masked", []byte{finText, 2, 'h', 'i'}, CloseProtocolError},
		{"5.1 control frame not masked", []byte{finPing, 0}, CloseProtocolError},
		{"5.2 RSV1", frame(finText|0x40, "hi"), CloseProtocolError},
		{"5.2 RSV2", frame(finText|0x20, "hi"), CloseProtocolError},
		{"5.2 RSV3", frame(finText|0x10, "hi"), CloseProtocolError},
		{"5.2 RSV1 on a control frame", frame(finPing|0x40, ""), CloseProtocolError},
		{"5.2 RSV1 on a continuation", slices.Concat(frame(beginText, "h"), frame(finMore|0x40, "i")), CloseProtocolError},

		{"5.2 length 0 in 2 bytes", rawFrame(finBinary, size16, 0, 0), CloseProtocolError},
		{"5.2 length 125 in 2 bytes", rawFrame(finBinary, size16, 0, 125), CloseProtocolError},
		{"5.2 length 0 in 8 bytes", rawFrame(finBinary, size64, 0, 0, 0, 0, 0, 0, 0, 0), CloseProtocolError},
		{"5.2 length 65,535 in 8 bytes", rawFrame(finBinary, size64, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF), CloseProtocolError},
		{"5.2 length with its top bit set", rawFrame(finBinary, size64, 0x80, 0, 0, 0, 0, 0, 0, 0), CloseProtocolError},
		{"5.2 length of all ones", rawFrame(finBinary, size64, 255, 255, 255, 255, 255, 255, 255, 255), CloseProtocolError},
		{"length 2^63-1", rawFrame(finBinary, size64, 0x7F, 255, 255, 255, 255, 255, 255, 255), CloseTooBig},
		{"length 2^32", rawFrame(finBinary, size64, 0, 0, 0, 1, 0, 0, 0, 0), CloseTooBig},
		{"length one over the limit", rawFrame(finBinary, size64, 0, 0, 0, 0, 0, 1, 0, 1), CloseTooBig},
		{"fragments over the limit", slices.Concat(frame(beginBinary, strings.Repeat("x", 60_000)), frame(finMore, strings.Repeat("x", 6_000))), CloseTooBig},
		{"fragment of 2^63-1", slices.Concat(frame(beginBinary, "x"), rawFrame(finMore, size64, 0x7F, 255, 255, 255, 255, 255, 255, 255)), CloseTooBig},

		{"5.4 nothing to continue", frame(finMore, "hi"), CloseProtocolError},
		{"5.4 nothing to continue, not final", frame(more, "hi"), CloseProtocolError},
		{"5.4 continued after the end", slices.Concat(frame(beginText, "h"), frame(finMore, "i"), frame(finMore, "!")), CloseProtocolError},
		{"5.4 text inside a message", slices.Concat(frame(beginText, "h"), frame(finText, "i")), CloseProtocolError},
		{"5.4 binary inside a message", slices.Concat(frame(beginBinary, "h"), frame(beginBinary, "i")), CloseProtocolError},

		{"5.5 fragmented ping", frame(byte(OpPing), "hi"), CloseProtocolError},
		{"5.5 fragmented pong", frame(byte(OpPong), "hi"), CloseProtocolError},
		{"5.5 fragmented close", frame(byte(OpClose), "\x03\xe8"), CloseProtocolError},
		{"5.5 ping of 126 bytes", frame(finPing, strings.Repeat("x", 126)), CloseProtocolError},
		{"5.5 pong of 65,536 bytes", frame(finPong, strings.Repeat("x", 65_536)), CloseProtocolError},
		{"5.5 close of 126 bytes", closeFrame(1000, strings.Repeat("x", 124)), CloseProtocolError},
		{"5.5 ping of no bytes in 2", rawFrame(finPing, size16, 0, 0), CloseProtocolError},

		{"5.5.1 close of one byte", frame(finClose, "\x03"), CloseProtocolError},
		{"5.5.1 reason not UTF-8", closeFrame(1000, "\xff"), CloseInvalidPayload},
		{"5.5.1 reason cut inside a character", closeFrame(1000, "\xe2\x82"), CloseInvalidPayload},
	}
	for op := byte(0x3); op <= 0xF; op++ {
		if !Opcode(op).isKnown() {
			rules = append(rules, rule{fmt.Sprintf("5.2 opcode %#x", op), frame(bitFin|op, ""), CloseProtocolError})
		}
	}
	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, math.MaxUint16} {
		rules = append(rules, rule{fmt.Sprintf("7.4 close code %d", code), closeFrame(code, ""), CloseProtocolError})
	}
	for _, text := range badTexts {
		rules = append(rules, rule{fmt.Sprintf("8.1 text %q", text), frame(finText, text), CloseInvalidPayload})
		rules = append(rules, rule{fmt.Sprintf("8.1 text %q in fragments", text), fragments(text), CloseInvalidPayload})
	}
	return rules
}

// badTexts are not UTF-8.
var badTexts = []string{
	"\xff", "\x80", "abc\xc0\xaf", "\xc1\xbf", // never valid, a lone continuation, overlong
	"\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xe0\x9f\xbf", // overlong
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", // surrogates
	"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", // beyond U+10FFFF
	"\xce", "\xe2\x82", "\xf0\x9f\x98", "κόσμε\xe1\xbd", // cut short
	"\xe2\x82a", "\xf0\x9f\x98a", "\xc3(", // cut short by something else
}

// fragments returns text as a message of one-byte frames.
func fragments(text string) []byte {
	out := frame(beginText, "")
	for i := range len(text) {
		out = append(out, frame(more, text[i:i+1])...)
	}
	return append(out, frame(finMore, "")...)
}

// cuts are the sizes of writes that the tests send in.
var cuts = []int{1, 2, 7, math.MaxInt}

func TestBrokenRules(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	for _, r := range brokenRules() {
		for _, cut := range cuts {
			if cut < 7 && len(r.sent) > 1000 {
				continue // one system call for each byte, to no purpose
			}
			t.Run(fmt.Sprintf("%s/%d", r.name, cut), func(t *testing.T) {
				p := dialPeer(t, st)
				p.sendIn(cut, slices.Concat(frame(finText, "before"), r.sent))
				p.want(OpText, "before")
				p.wantClose(r.code)
				wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: r.code})
			})
		}
	}
}

// wantCause checks what Closed was told: code and side.
func wantCause(t *testing.T, err error, want CloseError) {
	t.Helper()
	got, ok := err.(*CloseError)
	if !ok || got.Code != want.Code || got.Peer != want.Peer {
		t.Errorf("closed by %v, want %v", err, &want)
	}
}

func TestKeptRules(t *testing.T) {
	st := startStation(t, Config{MaxFragments: 64}, newEcho)
	long := strings.Repeat("κόσμε😀", 3_000)
	many := slices.Concat(frame(beginBinary, ""), slices.Concat(slices.Repeat([][]byte{frame(more, "")}, 62)...), frame(finMore, ""))
	tests := []struct {
		name string
		sent []byte
		want []serverFrame
	}{
		{"empty text", frame(finText, ""), []serverFrame{{OpText, nil}}},
		{"empty binary", frame(finBinary, ""), []serverFrame{{OpBinary, nil}}},
		{"text", frame(finText, long), []serverFrame{{OpText, []byte(long)}}},
		{"binary that is not UTF-8", frame(finBinary, "\xff\xfe"), []serverFrame{{OpBinary, []byte("\xff\xfe")}}},
		{"as long as allowed", frame(finBinary, strings.Repeat("x", 65_536)), []serverFrame{{OpBinary, []byte(strings.Repeat("x", 65_536))}}},
		{"fragments inside characters", fragments("κόσμε😀"), []serverFrame{{OpText, []byte("κόσμε😀")}}},
		{"as many fragments as allowed", many, []serverFrame{{OpBinary, nil}}},
		{"ping", frame(finPing, "hi"), []serverFrame{{OpPong, []byte("hi")}}},
		{"ping of 125 bytes", frame(finPing, strings.Repeat("x", 125)), []serverFrame{{OpPong, []byte(strings.Repeat("x", 125))}}},
		{"pong unasked", slices.Concat(frame(finPong, "hi"), frame(finText, "x")), []serverFrame{{OpText, []byte("x")}}},
		{"pong inside a message", slices.Concat(frame(beginText, "h"), frame(finPong, "?"), frame(finMore, "i")),
			[]serverFrame{{OpText, []byte("hi")}}},
		{"key of zeros", maskedFrame(finText, "hi", 0), []serverFrame{{OpText, []byte("hi")}}},
	}
	for _, tt := range tests {
		for _, cut := range cuts {
			if cut < 7 && len(tt.sent) > 1000 {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", tt.name, cut), func(t *testing.T) {
				p := dialPeer(t, st)
				p.sendIn(cut, tt.sent)
				for _, f := range tt.want {
					p.want(f.op, string(f.payload))
				}
				p.sendIn(cut, closeFrame(CloseNormal, "done"))
				p.wantClose(CloseNormal)
				wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: CloseNormal, Peer: true})
			})
		}
	}
}

// TestFailsFast wants a bad byte answered before the frame, or the message, is whole.
func TestFailsFast(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	for name, sent := range map[string][]byte{
		"frame":    frame(finText, "\xc0"+strings.Repeat("x", 100))[:7],
		"fragment": frame(beginText, "\xed\xa0"),
	} {
		t.Run(name, func(t *testing.T) {
			p := dialPeer(t, st)
			p.send(sent)
			p.wantClose(CloseInvalidPayload)
		})
	}
}

func TestPeerCloseCodes(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		p := dialPeer(t, st)
		p.send(closeFrame(code, "because"))
		p.wantClose(code)
		wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: code, Peer: true})
	}
	p := dialPeer(t, st)
	p.send(frame(finClose, ""))
	p.wantClose(CloseNoCode)
	wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: CloseNoCode, Peer: true})
}
