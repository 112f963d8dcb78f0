package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

func TestReadCursor(t *testing.T) {
	want := wire.ReadCursor{Offset: 7, Position: "AQAAAAAAAAAqAAAABw"}
	text := want.Data()
	if string(text.Body) != `{"off":7,"pos":"AQAAAAAAAAAqAAAABw"}` {
		t.Errorf("written as %s", text.Body)
	}
	for _, value := range []string{string(text.Body), ` { "pos" : "AQAAAAAAAAAqAAAABw", "off" : 7 } `} {
		if got, err := wire.ParseReadCursor(wire.JSONData([]byte(value))); got != want || err != nil {
			t.Errorf("%s is read as %v, %v", value, got, err)
		}
	}
}

func TestWhatIsNoReadCursor(t *testing.T) {
	for _, value := range []string{
		``, `null`, `7`, `"AQ"`, `[7,"AQ"]`, `{}`, `{"off":7}`, `{"pos":"AQ"}`, `{"off":0,"pos":"AQ"}`, `{"off":7,"pos":""}`,
		`{"off":-1,"pos":"AQ"}`, `{"off":7.0,"pos":"AQ"}`, `{"off":1e1,"pos":"AQ"}`, `{"off":"7","pos":"AQ"}`,
		`{"off":9007199254740992,"pos":"AQ"}`, `{"off":7,"pos":5}`, `{"off":7,"pos":"AQ","x":1}`, `{"off":7,"off":8,"pos":"AQ"}`,
		`{"OFF":7,"pos":"AQ"}`, `{"off":7,"pos":"AQ"}{}`, `{"off":7,"pos":"AQ"`, `{"__proto__":{},"off":7,"pos":"AQ"}`,
	} {
		wantBadFrame(t, wire.JSONData([]byte(value)))
	}
	wantBadFrame(t, wire.BinaryData([]byte(`{"off":7,"pos":"AQ"}`)))
	long := wire.ReadCursor{Offset: 7, Position: strings.Repeat("A", wire.MaxPositionBytes+1)}
	if _, err := wire.ParseReadCursor(long.Data()); err == nil {
		t.Error("a position beyond its limit is taken")
	}
}

func wantBadFrame(t *testing.T, value wire.Data) {
	t.Helper()
	c, err := wire.ParseReadCursor(value)
	if p := new(wire.ProtocolError); !errors.As(err, &p) || p.Code != wire.CodeBadFrame {
		t.Errorf("%s is read as %v, %v", value.Body, c, err)
	}
}

func FuzzParseReadCursor(f *testing.F) {
	f.Add([]byte(`{"off":7,"pos":"AQAAAAAAAAAqAAAABw"}`))
	f.Add([]byte(`{"pos":"\u0041","off":9007199254740991}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		c, err := wire.ParseReadCursor(wire.JSONData(value))
		if err != nil {
			return
		}
		if again, err := wire.ParseReadCursor(c.Data()); again != c || err != nil {
			t.Errorf("%q is read as %v, and that as %v, %v", value, c, again, err)
		}
	})
}

func TestReadMapOfTheLongestName(t *testing.T) {
	longest := "log:" + strings.Repeat("x", wire.MaxReadBytes-len("log:"))
	if err := wire.ValidateChannel(wire.ReadMap(longest)); err != nil {
		t.Error(err)
	}
	if err := wire.ValidateChannel(wire.ReadMap(longest + "x")); err == nil {
		t.Error("a longer one is a channel, too")
	}
}
