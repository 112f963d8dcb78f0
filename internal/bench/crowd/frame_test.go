//go:build linux

package crowd

import (
	"bytes"
	"errors"
	"testing"
)

// unmaskedFrame is appendFrame's frame as a server would send it.
func unmaskedFrame(op byte, payload []byte) []byte {
	f := appendFrame(nil, op, payload)
	header := len(f) - len(payload)
	out := append(bytes.Clone(f[:header-4]), payload...)
	out[1] &= 0x7F
	return out
}

func TestFramesAreFoundWhereverTheyAreCut(t *testing.T) {
	var stream []byte
	sizes := []int{0, 1, 125, 126, 127, 1 << 10, 1<<16 - 1, 1 << 16}
	for _, n := range sizes {
		stream = append(stream, unmaskedFrame(opText, bytes.Repeat([]byte("x"), n))...)
	}
	for _, step := range []int{1, 7, 4096, len(stream)} {
		var got []int
		var rest []byte
		for at := 0; at < len(stream); at += step {
			data := append(bytes.Clone(rest), stream[at:min(at+step, len(stream))]...)
			var err error
			rest, err = eachFrame(data, func(op byte, payload []byte) error {
				got = append(got, len(payload))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(sizes) || len(rest) != 0 {
			t.Errorf("in steps of %d: frames of %v, and %d bytes left", step, got, len(rest))
		}
	}
}

func TestBadFrames(t *testing.T) {
	for name, data := range map[string][]byte{
		"masked":       appendFrame(nil, opText, []byte("x")),
		"reserved bit": {0xC1, 1, 'x'},
		"too long":     {0x81, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
	} {
		if _, err := eachFrame(data, func(byte, []byte) error { return nil }); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHandshakeAnswers(t *testing.T) {
	for answer, want := range map[string]struct {
		ok, refused bool
		rest        string
	}{
		"HTTP/1.1 101 Switching":                   {},
		"HTTP/1.1 101 Switching\r\nA: b\r\n\r\nxy": {ok: true, rest: "xy"},
		"HTTP/1.1 403 Forbidden\r\n\r\n":           {refused: true},
		string(make([]byte, maxHandshakeBytes+1)):  {refused: true},
	} {
		rest, ok, err := accepted([]byte(answer))
		if ok != want.ok || (err != nil) != want.refused || string(rest) != want.rest {
			t.Errorf("%.40q: %q, %v, %v", answer, rest, ok, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for url, good := range map[string]bool{
		"ws://127.0.0.1:8000/live/websocket": true,
		"http://localhost":                   true,
		"https://localhost":                  true,
		"ftp://localhost":                    false,
		"localhost:8000":                     false,
		"ws://":                              false,
		"://":                                false,
	} {
		if err := CheckURL(url); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}
