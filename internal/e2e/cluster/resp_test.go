package cluster

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
)

// pushed begins a message of a sharded channel in RESP3: a push of three strings, of which the first is its kind.
var pushed = []byte(">3\r\n$8\r\nsmessage\r\n")

// withoutMessage returns b without the first message of a channel that is whole in it, and reports whether there was one.
func withoutMessage(b []byte) (rest []byte, found bool) {
	start := bytes.Index(b, pushed)
	if start < 0 {
		return b, false
	}
	end := start + len(pushed)
	for range 2 { // the channel, and what was published
		n := stringBytes(b[end:])
		if n == 0 {
			return b, false
		}
		end += n
	}
	return append(bytes.Clone(b[:start]), b[end:]...), true
}

// stringBytes returns how many bytes the bulk string takes with which b begins, or zero if it is not whole.
func stringBytes(b []byte) int {
	head := bytes.Index(b, []byte("\r\n"))
	if head < 1 || b[0] != '$' {
		return 0
	}
	size, err := strconv.Atoi(string(b[1:head]))
	whole := head + 2 + size + 2
	if err != nil || size < 0 || whole > len(b) {
		return 0
	}
	return whole
}

func TestWithoutMessage(t *testing.T) {
	message := func(text string) string {
		return fmt.Sprintf("%s$3\r\nlog\r\n$%d\r\n%s\r\n", pushed, len(text), text)
	}
	for _, c := range []struct {
		sent, rest string
		found      bool
	}{
		{message("one"), "", true},
		{"+OK\r\n" + message("one") + message("two"), "+OK\r\n" + message("two"), true},
		{message("one\r\n$2"), "", true},
		{"+OK\r\n", "+OK\r\n", false},
		{message("one")[:len(message("one"))-1], message("one")[:len(message("one"))-1], false},
		{string(pushed), string(pushed), false},
	} {
		rest, found := withoutMessage([]byte(c.sent))
		if string(rest) != c.rest || found != c.found {
			t.Errorf("%q: %q, %v; want %q, %v", c.sent, rest, found, c.rest, c.found)
		}
	}
}
