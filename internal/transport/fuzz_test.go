package transport

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// Whatever a body holds, what is taken of it is within the limits, or nothing is.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "\n\n", "{\"ping\":{}}\n", "a\r\nb", "\x00", " \t \n x"} {
		f.Add([]byte(seed))
	}
	f.Add(bytes.Repeat([]byte("x\n"), maxUpFrames+1))
	f.Add(bytes.Repeat([]byte("x"), wire.MaxFrameBytes+1))
	f.Fuzz(func(t *testing.T, text []byte) {
		frames, err := readFrames(httptest.NewRecorder(), httptest.NewRequest("POST", "/", bytes.NewReader(text)))
		if err != nil && len(frames) > 0 || len(frames) > maxUpFrames {
			t.Fatalf("%d frames, %v", len(frames), err)
		}
		for _, frame := range frames {
			if len(frame) == 0 || len(frame) > wire.MaxFrameBytes || bytes.ContainsRune(frame, '\n') {
				t.Errorf("a frame of %d bytes: %.80q", len(frame), frame)
			}
		}
	})
}

// Whatever another node sends, it is answered or not, and nothing panics. It is part of row H18 of the faults.
func FuzzErrand(f *testing.F) {
	for _, seed := range []string{
		"", "{", `{"SID":"known"}`, `{"SID":"known","Move":true}`, `{"SID":"known","Move":true,"Ack":18446744073709551615}`,
		`{"SID":"known","N":1,"Frames":["eyJwaW5nIjp7fX0=","eA=="]}`, `{"SID":"known","N":9}`, `{"SID":"other","Move":true}`,
	} {
		f.Add([]byte(seed))
	}
	log := slog.New(slog.DiscardHandler)
	f.Fuzz(func(_ *testing.T, text []byte) {
		h := NewHTTP(session.NewNode(session.Config{Policy: greeter{}, Log: log}), Origins{}, log)
		x := newExchange()
		x.sid = "known"
		x.link = h.node.NewLink(x, lines{wire.JSON}, session.Handshake{})
		h.add(x)
		h.runErrand(context.Background(), text)
		h.stop()
	})
}
