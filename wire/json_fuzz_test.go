package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/earshot/earshot/wire"
)

// addGolden makes the golden frames of one direction the seeds of f.
func addGolden(f *testing.F, direction string) {
	for _, cases := range readGolden(f) {
		for _, c := range cases {
			if c.Direction == direction {
				f.Add(c.text())
			}
		}
	}
}

func FuzzDecodeClientFrame(f *testing.F) {
	addGolden(f, "client")
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		frame, err := wire.JSON.DecodeClientFrame(text)
		checkInput(t, before, text, err)
		if err != nil {
			if frame.Body != nil {
				t.Errorf("a body beside error %v", err)
			}
			return
		}
		if d, kind := clientData(frame.Body); kind != "" {
			checkData(t, d, members(t, text)[kind])
		}
		again := wire.JSON.AppendClientFrame(nil, frame)
		got, err := wire.JSON.DecodeClientFrame(again)
		if len(again) <= wire.MaxFrameBytes && (err != nil || !reflect.DeepEqual(got, frame)) {
			t.Errorf("%s\nwent round as %s\nand became %+v, %v", text, again, got, err)
		}
	})
}

func FuzzDecodeServerFrame(f *testing.F) {
	addGolden(f, "server")
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		frame, err := wire.JSON.DecodeServerFrame(text)
		checkInput(t, before, text, err)
		if err != nil {
			return
		}
		switch b := frame.Body.(type) {
		case wire.Publication:
			checkPublication(t, b, members(t, text)["pub"])
		case wire.Invocation:
			checkData(t, b.Data, members(t, text)["call"])
		case wire.Returned:
			checkData(t, b.Data, members(t, text)["result"])
		case wire.Page:
			checkPage(t, b, members(t, members(t, text)["page"])["pubs"])
		}
		again := wire.JSON.AppendServerFrame(nil, frame)
		got, err := wire.JSON.DecodeServerFrame(again)
		if len(again) <= wire.MaxServerFrameBytes && (err != nil || !reflect.DeepEqual(got, frame)) {
			t.Errorf("%s\nwent round as %s\nand became %+v, %v", text, again, got, err)
		}
	})
}

// clientData returns the data of b and the kind of frame that it is, which is empty if frames of that kind have no data.
func clientData(b wire.ClientBody) (d wire.Data, kind string) {
	switch b := b.(type) {
	case wire.Publish:
		return b.Data, "pub"
	case wire.Set:
		return b.Data, "set"
	case wire.Join:
		return b.Data, "join"
	case wire.Call:
		return b.Data, "call"
	case wire.Result:
		return b.Data, "result"
	}
	return wire.Data{}, ""
}

// checkInput fails if decoding changed its input, took what is not JSON for a frame, or failed with another error than
// those of the contract.
func checkInput(t *testing.T, before, after []byte, err error) {
	t.Helper()
	if !bytes.Equal(before, after) {
		t.Errorf("decoding changed %q to %q", before, after)
	}
	var refusal *wire.ProtocolError
	known := err == nil || errors.Is(err, wire.ErrUnknownFrame)
	if known && !json.Valid(before) {
		t.Errorf("%q is not JSON and was accepted", before)
	}
	if !known && !errors.As(err, &refusal) {
		t.Errorf("error %v is no ProtocolError", err)
	}
}

// members returns the members of the object that text is, as the standard library finds them.
func members(t *testing.T, text []byte) (found map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatalf("%q is no object: %v", text, err)
	}
	return found
}

// checkData fails unless JSON data is, byte for byte, that of body.
func checkData(t *testing.T, d wire.Data, body json.RawMessage) {
	t.Helper()
	want := "null"
	if data, ok := members(t, body)["data"]; ok {
		want = string(data)
	}
	if !d.Binary && string(d.Body) != want {
		t.Errorf("data of %s is %q, want %q", body, d.Body, want)
	}
}

// checkPublication fails unless p has the data of body. Of a key that is gone it must have none.
func checkPublication(t *testing.T, p wire.Publication, body json.RawMessage) {
	t.Helper()
	if !p.Gone {
		checkData(t, p.Data, body)
	} else if want := (wire.Message{Data: wire.JSONData([]byte("null"))}); !reflect.DeepEqual(p.Message, want) {
		t.Errorf("%s holds %+v", body, p.Message)
	}
}

func checkPage(t *testing.T, p wire.Page, list json.RawMessage) {
	t.Helper()
	var bodies []json.RawMessage
	if list != nil {
		if err := json.Unmarshal(list, &bodies); err != nil {
			t.Fatal(err)
		}
	}
	if len(bodies) != len(p.Publications) {
		t.Fatalf("%d publications of %s", len(p.Publications), list)
	}
	for i, body := range bodies {
		checkPublication(t, p.Publications[i], body)
	}
}

// FuzzValidJSON compares with the standard library, which knows no limit of depth and takes what is not UTF-8.
func FuzzValidJSON(f *testing.F) {
	for _, cases := range readGolden(f) {
		for _, c := range cases {
			f.Add(c.text())
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := wire.ValidJSON(text)
		want := json.Valid(text) && bytes.Equal(text, bytes.ToValidUTF8(text, nil)) && len(text) <= wire.MaxFrameBytes
		if want && depth(text) > wire.MaxDataDepth {
			want = false
		}
		if (err == nil) != want {
			t.Errorf("ValidJSON(%q) = %v, want valid: %v", text, err, want)
		}
	})
}

// depth returns how deep valid JSON goes.
func depth(text []byte) (deepest int) {
	level, quoted, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// FuzzString checks that any string of Go comes through a frame as the UTF-8 in it.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a", "\x00\x1f\"\\/", "\xff\xc0\x80", "\u2028</script>", "\ufffd", "\U0001f600", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := wire.JSON.AppendServerFrame(nil, wire.ServerFrame{Body: wire.Bye{Code: wire.CloseMoved, Reason: s}})
		var oracle struct{ Bye struct{ Reason string } }
		if err := json.Unmarshal(text, &oracle); err != nil {
			t.Fatalf("%q became %s: %v", s, text, err)
		}
		frame, err := wire.JSON.DecodeServerFrame(text)
		if want := oracle.Bye.Reason; err != nil || frame.Body.(wire.Bye).Reason != want || !sameText(want, s) {
			t.Errorf("%q became %s, decoded to %+v, %v; the standard library reads %q", s, text, frame, err, want)
		}
	})
}

// sameText reports whether got is s with each byte that is not UTF-8 replaced.
func sameText(got, s string) bool { return got == string([]rune(s)) }
