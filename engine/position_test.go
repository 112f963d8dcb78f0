package engine_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

func TestPositionText(t *testing.T) {
	for _, p := range []engine.Position{
		{},
		{Epoch: 1},
		{Epoch: math.MaxUint64, Offset: math.MaxUint64, Tag: math.MaxUint32},
		{Epoch: 7, Offset: 1, Tag: 9},
		{Epoch: 7, Offset: 127}, {Epoch: 7, Offset: 128}, {Epoch: 7, Offset: 1 << 62},
	} {
		text := p.String()
		if len(text) > wire.MaxPositionBytes {
			t.Errorf("%#v takes %d bytes", p, len(text))
		}
		got, err := engine.ParsePosition(text)
		if p.IsZero() {
			if text != "" || !errors.Is(err, engine.ErrBadPosition) {
				t.Errorf("the zero position is %q and parsed with %v", text, err)
			}
			continue
		}
		if err != nil || got != p {
			t.Errorf("%#v is %q, parsed as %#v, %v", p, text, got, err)
		}
	}
}

func TestBadPositionText(t *testing.T) {
	good := engine.Position{Epoch: 7, Offset: 300, Tag: 9}.String()
	for _, text := range []string{
		"", "x", "!", good + "A", good[1:], good[:len(good)-1], good + "=", " " + good, good + "\n",
		strings.Repeat("A", 18),    // epoch zero
		good[:len(good)-3] + "AAA", // a varint that is longer than it has to be
		strings.Repeat("/", 19), strings.Repeat("A", 1<<16),
	} {
		if p, err := engine.ParsePosition(text); !errors.Is(err, engine.ErrBadPosition) {
			t.Errorf("%.40q was parsed as %#v, %v", text, p, err)
		}
	}
}

// FuzzParsePosition checks that a text that is a position is the only one of its position.
func FuzzParsePosition(f *testing.F) {
	f.Add("")
	f.Add(engine.Position{Epoch: 7, Offset: 300, Tag: 9}.String())
	f.Add(engine.Position{Epoch: 1}.String())
	f.Fuzz(func(t *testing.T, text string) {
		p, err := engine.ParsePosition(text)
		if err != nil {
			if !errors.Is(err, engine.ErrBadPosition) || !p.IsZero() {
				t.Fatalf("%q: %#v, %v", text, p, err)
			}
			return
		}
		if p.Epoch == 0 || p.String() != text {
			t.Fatalf("%q is %#v, which is %q", text, p, p.String())
		}
	})
}
