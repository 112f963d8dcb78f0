package wire_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// hostile is text of about size bytes that is cheap to make and that some decoder somewhere choked on.
func hostile(size int) map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	wrap := func(before, unit, after string) string {
		return before + strings.Repeat(unit, (size-len(before)-len(after))/len(unit)) + after
	}
	return map[string]string{
		"newlines":                    fill("\n"),
		"newlines in a frame":         wrap(`{"ping":`, "\n", `{}}`),
		"open arrays":                 fill("["),
		"open objects":                fill(`{"a":`),
		"open arrays as data":         wrap(`{"pub":{"ch":"a:b","data":`, "[", ""),
		"empty objects":               fill("{}"),
		"empty objects in lines":      fill("{}\n"),
		"empty objects in data":       wrap(`{"pub":{"ch":"a:b","data":[{}`, ",{}", `]}}`),
		"empty publications":          wrap(`{"page":{"ch":"a:b","pubs":[{}`, ",{}", `]}}`),
		"publications with bytes":     wrap(`{"page":{"ch":"a:b","pubs":[{}`, `,{"b64":"AAAA"}`, `]}}`),
		"publications with tags":      wrap(`{"page":{"ch":"a:b","pubs":[{}`, `,{"tags":{"a":"b"}}`, `]}}`),
		"empty bodies":                wrap(`{"ping":{}`, `,"ping":{}`, `}`),
		"bodies":                      wrap(`{"hello":{}`, `,"hello":{}`, `}`),
		"bodies of a server":          wrap(`{"pub":{}`, `,"pub":{}`, `}`),
		"bad channels":                wrap(`{"sub":{"ch":""`, `,"ch":""`, `}}`),
		"unknown kinds":               wrap(`{"a":{}`, `,"a":{}`, `}`),
		"duplicate fields":            wrap(`{"pub":{"ch":"a:b"`, `,"ch":"a:b"`, `}}`),
		"unknown fields":              wrap(`{"pub":{"ch":"a:b"`, `,"__proto__":1`, `}}`),
		"unknown fields in escapes":   wrap(`{"pub":{"ch":"a:b"`, `,"\u0061":1`, `}}`),
		"wrong types":                 wrap(`{"pub":{"ch":"a:b"`, `,"idem":1`, `}}`),
		"numbers that are none":       wrap(`{"id":1.5`, `,"id":1.5`, `}`),
		"one long name":               wrap(`{"pub":{"`, "a", `":1}}`),
		"one long kind":               wrap(`{"`, "%", `":1}`),
		"one long number":             wrap(`{"id":1`, "0", `,"ping":{}}`),
		"one long id":                 wrap(`{"pub":{"ch":"a:b","idem":"`, "k", `"}}`),
		"one long id in escapes":      wrap(`{"pub":{"ch":"a:b","idem":"`, `\u006b`, `"}}`),
		"one long key of a map":       wrap(`{"set":{"ch":"a:b","key":"`, "k", `"}}`),
		"one long key in escapes":     wrap(`{"set":{"ch":"a:b","key":"`, `\u006b`, `"}}`),
		"versions":                    wrap(`{"set":{"ch":"a:b","if":1`, `,"if":1`, `}}`),
		"results in bytes":            wrap(`{"id":1,"result":{"b64":"`, "AAAA", `"}}`),
		"keys of a map that are gone": wrap(`{"page":{"ch":"a:b","pubs":[{}`, `,{"key":"a","gone":true}`, `]}}`),
		"one long channel":            wrap(`{"sub":{"ch":"`, ":", `"}}`),
		"tags":                        wrap(`{"pub":{"ch":"a:b","tags":{"a":""`, `,"b":""`, `}}}`),
		"tags in escapes":             wrap(`{"pub":{"ch":"a:b","tags":{"a":""`, `,"\u0061":"\n"`, `}}}`),
		"bytes":                       wrap(`{"pub":{"ch":"a:b","b64":"`, "AAAA", `"}}`),
		"bytes in escapes":            wrap(`{"pub":{"ch":"a:b","b64":"`, `\u0041\u0041\u0041\u0041`, `"}}`),
		"strings in data":             wrap(`{"pub":{"ch":"a:b","data":[""`, `,"\ud800"`, `]}}`),
		"zero bytes":                  fill("\x00"),
		"bytes that are not UTF-8":    wrap(`{"ping":"`, "\xff", `"}`),
	}
}

// TestHostileInputAllocatesLittle decodes every hostile text at its largest, and once a little over it. What is
// allocated stays within a few times the text; a page of many small publications has a constant of its own.
func TestHostileInputAllocatesLittle(t *testing.T) {
	const perByte, slack, ofPage = 4, 2 << 10, 256 << 10
	decodeClient := func(text []byte) { _, _ = wire.JSON.DecodeClientFrame(text) }
	decodeServer := func(text []byte) { _, _ = wire.JSON.DecodeServerFrame(text) }
	validJSON := func(text []byte) { _ = wire.ValidJSON(text) }
	for _, size := range []int{1 << 10, wire.MaxFrameBytes, wire.MaxServerFrameBytes, wire.MaxServerFrameBytes + 100} {
		for name, text := range hostile(size) {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				most := perByte*len(text) + slack
				checkAllocated(t, "a client's frame", []byte(text), min(most, perByte*wire.MaxFrameBytes), decodeClient)
				checkAllocated(t, "a server's frame", []byte(text), most+ofPage, decodeServer)
				checkAllocated(t, "data", []byte(text), slack, validJSON)
			})
		}
	}
}

// checkAllocated fails if decode allocates more than most bytes for text, in the least of a few runs: other goroutines
// of the test binary allocate too.
func checkAllocated(t *testing.T, what string, text []byte, most int, decode func([]byte)) {
	t.Helper()
	const runs = 3
	least := ^uint64(0)
	for range runs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		decode(text)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	if least > uint64(most) {
		t.Errorf("as %s, %d bytes allocated %d, want at most %d", what, len(text), least, most)
	}
}
