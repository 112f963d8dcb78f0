package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

const goldenDir = "../testdata/protocol"

// goldenCase is one case of a golden file: see testdata/protocol/README.md.
type goldenCase struct {
	Name        string          `json:"name"`
	Direction   string          `json:"direction"`
	Frame       string          `json:"frame"`
	FrameBase64 []byte          `json:"frameBase64"`
	Value       json.RawMessage `json:"value"`
	Canonical   bool            `json:"canonical"`
	Error       string          `json:"error"`
	Mentions    string          `json:"mentions"`
	Ignored     bool            `json:"ignored"`
	ID          uint64          `json:"id"`
}

func (c *goldenCase) text() []byte {
	if c.FrameBase64 != nil {
		return c.FrameBase64
	}
	return []byte(c.Frame)
}

// decode returns the case's frame as a goldenFrame.
func (c *goldenCase) decode(t testing.TB) (goldenFrame, error) {
	switch c.Direction {
	case "client":
		f, err := wire.JSON.DecodeClientFrame(c.text())
		return goldenFrame{id: f.ID, body: f.Body}, err
	case "server":
		f, err := wire.JSON.DecodeServerFrame(c.text())
		return goldenFrame{id: f.ID, body: f.Body}, err
	}
	t.Fatalf("direction is %q, want client or server", c.Direction)
	return goldenFrame{}, nil
}

// goldenFrame is a frame of either direction.
type goldenFrame struct {
	id   uint64
	body any // a wire.ClientBody or wire.ServerBody, or both
}

func (f goldenFrame) encode(direction string) string { return string(f.appendTo(nil, direction)) }

func (f goldenFrame) appendTo(dst []byte, direction string) []byte {
	if direction == "client" {
		return wire.JSON.AppendClientFrame(dst, wire.ClientFrame{ID: f.id, Body: f.body.(wire.ClientBody)})
	}
	return wire.JSON.AppendServerFrame(dst, wire.ServerFrame{ID: f.id, Body: f.body.(wire.ServerBody)})
}

// readGolden returns the cases of every golden file, by the file's name without its ending.
func readGolden(t testing.TB) map[string][]goldenCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(goldenDir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files in %s: %v", goldenDir, err)
	}
	files := make(map[string][]goldenCase)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var cases []goldenCase
		if err := decoder.Decode(&cases); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = cases
	}
	return files
}

func TestGolden(t *testing.T) {
	for file, cases := range readGolden(t) {
		names := make(map[string]bool)
		for _, c := range cases {
			t.Run(file+"/"+c.Name, func(t *testing.T) { checkGolden(t, &c) })
			if names[c.Name] || !strings.HasPrefix(file, c.Direction+"_") {
				t.Errorf("%s: %q is there twice or goes the other way", file, c.Name)
			}
			names[c.Name] = true
		}
	}
}

func checkGolden(t *testing.T, c *goldenCase) {
	f, err := c.decode(t)
	switch {
	case c.Error != "":
		checkRefused(t, c, f, err)
	case c.Ignored:
		if !errors.Is(err, wire.ErrUnknownFrame) || f.id != c.ID {
			t.Errorf("decoded to id %d, %v; want id %d, %v", f.id, err, c.ID, wire.ErrUnknownFrame)
		}
	case err != nil:
		t.Errorf("decoding: %v", err)
	default:
		checkDecoded(t, c, f)
	}
}

func checkRefused(t *testing.T, c *goldenCase, f goldenFrame, err error) {
	var refusal *wire.ProtocolError
	if !errors.As(err, &refusal) || refusal.Code.String() != c.Error || refusal.Code >= 1000 {
		t.Fatalf("decoded to error %v, want %s", err, c.Error)
	}
	if !strings.Contains(refusal.Reason, c.Mentions) {
		t.Errorf("the reason is %q, want it to mention %q", refusal.Reason, c.Mentions)
	}
	if f.id != c.ID || f.body != nil {
		t.Errorf("decoded to id %d, body %v beside the error; want id %d and none", f.id, f.body, c.ID)
	}
}

func checkDecoded(t *testing.T, c *goldenCase, f goldenFrame) {
	if got, want := neutral(t, c.Direction, f), parseNumbers(t, c.Value); !reflect.DeepEqual(got, want) {
		t.Errorf("decoded to\n%v, want\n%v", got, want)
	}
	if got := f.encode(c.Direction); (got == string(c.text())) != c.Canonical {
		t.Errorf("encodes to\n%s\ncanonical is %v of\n%s", got, c.Canonical, c.text())
	}
}

// parseNumbers parses text and keeps the digits of its numbers.
func parseNumbers(t *testing.T, text []byte) (v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("value %s: %v", text, err)
	}
	return v
}
