package wire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

const protocolPage = "../docs/reference/protocol.md"

func readProtocolPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(protocolPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestProtocolPageShowsEveryField checks that the examples are frames, written as the codec writes them, and that they
// show every kind of frame and every field.
func TestProtocolPageShowsEveryField(t *testing.T) {
	shown := make(map[string]map[string]bool)
	for _, line := range strings.Split(readProtocolPage(t), "\n") {
		example := strings.TrimSpace(line)
		if !strings.HasPrefix(example, "> {") && !strings.HasPrefix(example, "< {") {
			continue
		}
		c := goldenCase{Direction: "client", Frame: example[2:]}
		if example[0] == '<' {
			c.Direction = "server"
		}
		f, err := c.decode(t)
		if err != nil {
			t.Errorf("%s: %v", example, err)
			continue
		}
		if got := f.encode(c.Direction); got != c.Frame {
			t.Errorf("%s\nis written as\n%s", example, got)
		}
		v := reflect.ValueOf(f.body)
		cover(shown, c.Direction+" "+v.Type().Name(), v)
	}
	checkCovered(t, shown)
}

func TestProtocolPageListsEveryCode(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| (\\d+) \\| `(\\w+)` \\| (.*) \\|$").FindAllStringSubmatch(readProtocolPage(t), -1)
	var listed []wire.Code
	for _, row := range rows {
		n, err := strconv.ParseUint(row[1], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		code := wire.Code(n)
		if code.String() != row[2] || code.Text() != row[3] {
			t.Errorf("the page has %s; the code is %q, %q", row[0], code, code.Text())
		}
		listed = append(listed, code)
	}
	if !reflect.DeepEqual(listed, codes()) {
		t.Errorf("the page lists %d, want %d", listed, codes())
	}
}

func TestProtocolPageListsEveryLimit(t *testing.T) {
	limits := map[string]int64{
		"MaxFrameBytes":       wire.MaxFrameBytes,
		"MaxServerFrameBytes": wire.MaxServerFrameBytes,
		"MaxDepth":            wire.MaxDepth,
		"MaxDataDepth":        wire.MaxDataDepth,
		"MaxID":               wire.MaxID,
		"MaxChannelBytes":     wire.MaxChannelBytes,
		"MaxEventBytes":       wire.MaxEventBytes,
		"MaxIdemBytes":        wire.MaxIdemBytes,
		"MaxMapKeyBytes":      wire.MaxMapKeyBytes,
		"MaxPresenceBytes":    wire.MaxPresenceBytes,
		"MaxReadBytes":        wire.MaxReadBytes,
		"MaxSessionBytes":     wire.MaxSessionBytes,
		"MaxMethodBytes":      wire.MaxMethodBytes,
		"MaxReasonBytes":      wire.MaxReasonBytes,
		"MaxTokenBytes":       wire.MaxTokenBytes,
		"MaxClientBytes":      wire.MaxClientBytes,
		"MinSenderBytes":      wire.MinSenderBytes,
		"MaxSecretBytes":      wire.MaxSecretBytes,
		"MaxUserBytes":        wire.MaxUserBytes,
		"MaxPositionBytes":    wire.MaxPositionBytes,
		"MaxTags":             wire.MaxTags,
		"MaxTagKeyBytes":      wire.MaxTagKeyBytes,
		"MaxTagBytes":         wire.MaxTagBytes,
		"MaxLast":             wire.MaxLast,
		"DefaultPageLimit":    wire.DefaultPageLimit,
		"MaxPageLimit":        wire.MaxPageLimit,
		"MaxPageBytes":        wire.MaxPageBytes,
		"MinHeartbeat":        wire.MinHeartbeat.Milliseconds(),
		"MaxHeartbeat":        wire.MaxHeartbeat.Milliseconds(),
		"MaxTTL":              wire.MaxTTL.Milliseconds(),
		"MaxExpires":          wire.MaxExpires.Milliseconds(),
		"MaxEvery":            wire.MaxEvery.Milliseconds(),
		"DefaultCallTimeout":  wire.DefaultCallTimeout.Milliseconds(),
		"MaxCallTimeout":      wire.MaxCallTimeout.Milliseconds(),
	}
	rows := regexp.MustCompile("(?m)^\\|[^|]*\\| ([0-9,]+)[^|]*\\| `(\\w+)` \\|$").FindAllStringSubmatch(readProtocolPage(t), -1)
	listed := make(map[string]int64)
	for _, row := range rows {
		n, err := strconv.ParseInt(strings.ReplaceAll(row[1], ",", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		listed[row[2]] = n
	}
	if !reflect.DeepEqual(listed, limits) {
		t.Errorf("the page lists\n%v, want\n%v", listed, limits)
	}
	for _, name := range limitNames(t) {
		if _, ok := limits[name]; !ok {
			t.Errorf("limits.go has %s, which this test does not know", name)
		}
	}
}

// limitNames returns the names of the constants in limits.go.
func limitNames(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, name := range spec.Names {
				names = append(names, name.Name)
			}
		}
		return true
	})
	if len(names) == 0 {
		t.Fatal("found no constant in limits.go")
	}
	return names
}
