package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// checkCode fails unless err is a *ProtocolError with code want, or, if want is zero, nil.
func checkCode(t *testing.T, what string, err error, want wire.Code) {
	t.Helper()
	var refusal *wire.ProtocolError
	switch {
	case want == 0 && err != nil:
		t.Errorf("%s: %v, want no error", what, err)
	case want != 0 && (!errors.As(err, &refusal) || refusal.Code != want):
		t.Errorf("%s: error %v, want %s", what, err, want)
	}
}

func TestValidateChannel(t *testing.T) {
	for channel, valid := range map[string]bool{
		"a:b":                            true,
		"log:news":                       true,
		"A-z_0.9::":                      true,
		"a: ":                            true,
		"a:\u00e9\U0001f600\u2028\ufeff": true,
		"a:" + strings.Repeat("x", 253):  true,
		"a:" + strings.Repeat("x", 254):  false,
		"a:" + strings.Repeat("é", 127):  false,
		"":                               false,
		":":                              false,
		"a":                              false,
		"a:":                             false,
		":b":                             false,
		" a:b":                           false,
		"a/c:b":                          false,
		"a*:b":                           false,
		"é:b":                            false,
		"a:\x00":                         false,
		"a:b\n":                          false,
		"a:\x7f":                         false,
		"a:\u0085":                       false,
		"a:\xff":                         false,
		"a:\xed\xa0\x80":                 false,
		"a\x00:b":                        false,
	} {
		want := wire.CodeBadChannel
		if valid {
			want = 0
		}
		checkCode(t, fmt.Sprintf("%q", channel), wire.ValidateChannel(channel), want)
	}
}

func TestNamespace(t *testing.T) {
	for channel, want := range map[string]string{"log:news": "log", "a:b:c": "a", ":b": "", "news": "", "": ""} {
		if got := wire.Namespace(channel); got != want {
			t.Errorf("Namespace(%q) = %q, want %q", channel, got, want)
		}
	}
}

func TestValidateUser(t *testing.T) {
	for user, want := range map[string]wire.Code{
		"":                       0,
		"ann@example.com":        0,
		strings.Repeat("u", 255): 0,
		strings.Repeat("u", 256): wire.CodeUnauthorized,
		"a\nb":                   wire.CodeUnauthorized,
		"\xff":                   wire.CodeUnauthorized,
	} {
		checkCode(t, fmt.Sprintf("%q", user), wire.ValidateUser(user), want)
	}
}

func TestValidateMapKey(t *testing.T) {
	for key, want := range map[string]wire.Code{
		"a":                                      0,
		" ":                                      0,
		"a/\u00e9\U0001f600\u2028":               0,
		strings.Repeat("k", wire.MaxMapKeyBytes): 0,
		strings.Repeat("k", wire.MaxMapKeyBytes+1): wire.CodeTooLarge,
		"":        wire.CodeBadFrame,
		"a\n":     wire.CodeBadFrame,
		"a\u0085": wire.CodeBadFrame,
		"\xff":    wire.CodeBadFrame,
	} {
		checkCode(t, fmt.Sprintf("%.70q", key), wire.ValidateMapKey(key), want)
	}
}

// TestPresenceMapHasAName checks that the map of the channel with the longest name is a channel too.
func TestPresenceMapHasAName(t *testing.T) {
	longest := "a:" + strings.Repeat("x", wire.MaxPresenceBytes-2)
	got := wire.PresenceMap(longest)
	if got != "presence:"+longest || len(got) != wire.MaxChannelBytes {
		t.Errorf("the map of %q is %q, of %d bytes", longest, got, len(got))
	}
	checkCode(t, got, wire.ValidateChannel(got), 0)
}

// tags returns n tags.
func tags(n int) map[string]string {
	tags := make(map[string]string)
	for i := range n {
		tags[fmt.Sprint(i)] = "v"
	}
	return tags
}

func TestValidateMessage(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	body := func(n int) []byte { return []byte(`"` + long(n-2) + `"`) }
	for _, tt := range []struct {
		name    string
		message wire.Message
		want    wire.Code
	}{
		{"nothing", wire.Message{}, 0},
		{"everything", wire.Message{Event: "e", Data: wire.JSONData([]byte("1")), Tags: tags(wire.MaxTags)}, 0},
		{"one tag too many", wire.Message{Tags: tags(wire.MaxTags + 1)}, wire.CodeTooLarge},
		{"the longest tag", wire.Message{Tags: map[string]string{long(wire.MaxTagKeyBytes): long(wire.MaxTagBytes)}}, 0},
		{"a tag too long", wire.Message{Tags: map[string]string{"a": long(wire.MaxTagBytes + 1)}}, wire.CodeTooLarge},
		{"a key too long", wire.Message{Tags: map[string]string{long(wire.MaxTagKeyBytes + 1): ""}}, wire.CodeTooLarge},
		{"a tag that is not UTF-8", wire.Message{Tags: map[string]string{"a": "\xff"}}, wire.CodeBadFrame},
		{"a key that is not UTF-8", wire.Message{Tags: map[string]string{"\xff": ""}}, wire.CodeBadFrame},
		{"the longest event", wire.Message{Event: long(wire.MaxEventBytes)}, 0},
		{"an event too long", wire.Message{Event: long(wire.MaxEventBytes + 1)}, wire.CodeTooLarge},
		{"a line break in the event", wire.Message{Event: "a\nb"}, wire.CodeBadFrame},
		{"an event that is not UTF-8", wire.Message{Event: "\xff"}, wire.CodeBadFrame},
		{"any bytes", wire.Message{Data: wire.BinaryData([]byte("\xff\x00"))}, 0},
		{"no bytes", wire.Message{Data: wire.BinaryData(nil)}, 0},
		{"the most bytes", wire.Message{Data: wire.BinaryData(make([]byte, wire.MaxFrameBytes))}, 0},
		{"too many bytes", wire.Message{Data: wire.BinaryData(make([]byte, wire.MaxFrameBytes+1))}, wire.CodeTooLarge},
		{"the longest JSON", wire.Message{Data: wire.JSONData(body(wire.MaxFrameBytes))}, 0},
		{"JSON too long", wire.Message{Data: wire.JSONData(body(wire.MaxFrameBytes + 1))}, wire.CodeTooLarge},
		{"no JSON", wire.Message{Data: wire.JSONData([]byte("x"))}, wire.CodeBadFrame},
	} {
		checkCode(t, tt.name, wire.ValidateMessage(tt.message), tt.want)
	}
}

func TestValidJSON(t *testing.T) {
	for text, want := range map[string]wire.Code{
		" 1\n": 0,
		"":     wire.CodeBadFrame,
		" ":    wire.CodeBadFrame,
		"1 2":  wire.CodeBadFrame,
		strings.Repeat("[", wire.MaxDataDepth) + strings.Repeat("]", wire.MaxDataDepth):     0,
		strings.Repeat("[", wire.MaxDataDepth+1) + strings.Repeat("]", wire.MaxDataDepth+1): wire.CodeBadFrame,
		"\"\xff\"": wire.CodeBadFrame,
	} {
		checkCode(t, fmt.Sprintf("%.70q", text), wire.ValidJSON([]byte(text)), want)
	}
}
