package wire_test

import (
	"bytes"
	"testing"

	"github.com/earshot/earshot/wire"
)

func TestJSONNamesItself(t *testing.T) {
	if got := wire.JSON.Subprotocol(); got != "earshot.v1.json" || wire.JSON.Binary() {
		t.Errorf("the JSON codec is %q, binary %v", got, wire.JSON.Binary())
	}
}

// TestDataIsPartOfTheFrame checks who owns the bytes: data is the input's, and what is appended to it is not; all else
// is a copy.
func TestDataIsPartOfTheFrame(t *testing.T) {
	text := []byte(`{"pub":{"ch":"log:news","idem":"k","data":[1,2],"tags":{"a":"b"}}}`)
	f, err := wire.JSON.DecodeClientFrame(text)
	if err != nil {
		t.Fatal(err)
	}
	p := f.Body.(wire.Publish)
	if start := bytes.Index(text, p.Data.Body); &p.Data.Body[0] != &text[start] {
		t.Error("data was copied")
	}
	before := string(text)
	_ = append(p.Data.Body, "overwritten"...)
	if string(text) != before {
		t.Errorf("appending to data made the frame %s", text)
	}
	clear(text)
	if p.Channel != "log:news" || p.Idem != "k" || p.Tags["a"] != "b" {
		t.Errorf("clearing the frame changed %+v", p)
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	got := wire.JSON.AppendClientFrame([]byte("before,"), wire.ClientFrame{Body: wire.Ping{}})
	got = wire.JSON.AppendServerFrame(got, wire.ServerFrame{ID: 1, Body: wire.Pong{}})
	if want := `before,{"ping":{}}{"id":1,"pong":{}}`; string(got) != want {
		t.Errorf("appended to %s, want %s", got, want)
	}
}

// TestDefaultEventIsLeftOut checks that a message that names the default event is written like one that names none.
func TestDefaultEventIsLeftOut(t *testing.T) {
	p := wire.Publish{Channel: "log:news", Message: wire.Message{Event: wire.DefaultEvent}}
	got := string(wire.JSON.AppendClientFrame(nil, wire.ClientFrame{Body: p}))
	if want := `{"pub":{"ch":"log:news","data":null}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAppendDoesNotAllocate encodes every golden frame into a buffer that is large enough.
func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, wire.MaxServerFrameBytes)
	for file, cases := range readGolden(t) {
		for _, c := range cases {
			if !c.Canonical {
				continue
			}
			f, err := c.decode(t)
			if err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(10, func() { f.appendTo(dst, c.Direction) }); n != 0 {
				t.Errorf("%s/%s: %v allocations", file, c.Name, n)
			}
		}
	}
}

// TestForeignBodyPanics checks that a body which the codec would have to leave out is noticed.
func TestForeignBodyPanics(t *testing.T) {
	panics := func(what string, encode func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s was written", what)
			}
		}()
		encode()
	}
	panics("no client's body", func() { wire.JSON.AppendClientFrame(nil, wire.ClientFrame{ID: 1}) })
	panics("a pointer", func() { wire.JSON.AppendClientFrame(nil, wire.ClientFrame{Body: &wire.Ping{}}) })
	panics("no server's body", func() { wire.JSON.AppendServerFrame(nil, wire.ServerFrame{ID: 1}) })
	panics("a pointer", func() { wire.JSON.AppendServerFrame(nil, wire.ServerFrame{Body: &wire.Publication{}}) })
}
