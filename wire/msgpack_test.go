package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// packCase is one frame in both encodings: see testdata/protocol/README.md.
type packCase struct {
	Name      string `json:"name"`
	Direction string `json:"direction"`
	JSON      string `json:"json"`
	Msgpack   string `json:"msgpack"`
	Way       string `json:"way"`
	Error     string `json:"error"`
	Mentions  string `json:"mentions"`
	ID        uint64 `json:"id"`
}

func (c *packCase) bytes(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString(c.Msgpack)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readPacked(t testing.TB) (cases []packCase) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(goldenDir, "msgpack", "frames.json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestMsgpackGolden(t *testing.T) {
	for _, c := range readPacked(t) {
		t.Run(c.Name, func(t *testing.T) {
			if c.Error != "" {
				checkUnpackable(t, &c)
				return
			}
			if c.Way != "to json" {
				if got := transcode(t, wire.JSON, []byte(c.JSON), wire.Msgpack, c.Direction); hex.EncodeToString(got) != c.Msgpack {
					t.Errorf("the JSON becomes\n%x, want\n%s", got, c.Msgpack)
				}
			}
			if c.Way != "from json" {
				if got := transcode(t, wire.Msgpack, c.bytes(t), wire.JSON, c.Direction); string(got) != c.JSON {
					t.Errorf("the MessagePack becomes\n%s, want\n%s", got, c.JSON)
				}
			}
		})
	}
}

// transcode reads a frame with one codec and writes it with another.
func transcode(t *testing.T, from wire.Codec, frame []byte, to wire.Codec, direction string) []byte {
	t.Helper()
	if direction == "client" {
		f, err := from.DecodeClientFrame(frame)
		if err != nil {
			t.Fatal(err)
		}
		return to.AppendClientFrame(nil, f)
	}
	f, err := from.DecodeServerFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	return to.AppendServerFrame(nil, f)
}

func checkUnpackable(t *testing.T, c *packCase) {
	f, err := wire.Msgpack.DecodeClientFrame(c.bytes(t))
	var refusal *wire.ProtocolError
	if !errors.As(err, &refusal) || refusal.Code.String() != c.Error || !strings.Contains(refusal.Reason, c.Mentions) {
		t.Fatalf("decoded to %+v, %v; want %s that mentions %q", f, err, c.Error, c.Mentions)
	}
	if f.ID != c.ID || f.Body != nil {
		t.Errorf("decoded to id %d, body %v beside the error; want id %d and none", f.ID, f.Body, c.ID)
	}
}

// TestMsgpackCarriesEveryFrame sends the golden frames of every kind through MessagePack. Data are compared by value:
// how it was written is not kept.
func TestMsgpackCarriesEveryFrame(t *testing.T) {
	for file, cases := range readGolden(t) {
		if strings.HasSuffix(file, "_data") {
			continue // what becomes of special values is in the cases of TestMsgpackGolden
		}
		for _, c := range cases {
			if c.Error != "" || c.Ignored {
				continue
			}
			want, err := c.decode(t)
			if err != nil {
				t.Fatal(err)
			}
			packed := transcode(t, wire.JSON, c.text(), wire.Msgpack, c.Direction)
			text := transcode(t, wire.Msgpack, packed, wire.JSON, c.Direction)
			if !reflect.DeepEqual(parseNumbers(t, text), parseNumbers(t, []byte(want.encode(c.Direction)))) {
				t.Errorf("%s: %s: %s\nbecomes\n%s", file, c.Name, c.text(), text)
			}
		}
	}
}

func FuzzMsgpack(f *testing.F) {
	for _, c := range readPacked(f) {
		b, err := hex.DecodeString(c.Msgpack)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if s, err := wire.Msgpack.DecodeServerFrame(frame); err == nil {
			wire.Msgpack.AppendServerFrame(nil, s)
		}
		c, err := wire.Msgpack.DecodeClientFrame(frame)
		if err != nil {
			return
		}
		packed := wire.Msgpack.AppendClientFrame(nil, c)
		again, err := wire.Msgpack.DecodeClientFrame(packed)
		if err != nil {
			t.Fatalf("%x was accepted, and what it becomes is not: %x: %v", frame, packed, err)
		}
		if repacked := wire.Msgpack.AppendClientFrame(nil, again); !bytes.Equal(packed, repacked) {
			t.Errorf("%x becomes %x, and that becomes %x", frame, packed, repacked)
		}
	})
}
