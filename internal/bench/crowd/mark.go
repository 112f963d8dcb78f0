//go:build linux

package crowd

import (
	"bytes"
	"fmt"
	"time"
)

// A mark is what a delivery is found and timed by, in any protocol: "mark@", when it was published, ":", its number in its
// channel, ";".
const (
	markHead    = "mark@"
	stampDigits = 19
	seqDigits   = 10
	markBytes   = len(markHead) + stampDigits + 1 + seqDigits + 1

	// MinDataBytes is the smallest data that holds a mark: a JSON string.
	MinDataBytes = markBytes + 2
)

var start = time.Now()

// Stamp returns the time as marks have it: nanoseconds since 1970, the same in all of the bench's processes, and not moved
// while the clock is set.
func Stamp() int64 { return start.UnixNano() + int64(time.Since(start)) }

// Data returns a JSON string of size bytes, quotes included, with a mark.
func Data(size int, stamp int64, seq uint64) []byte {
	b := make([]byte, 0, size)
	b = fmt.Appendf(b, `"%s%0*d:%0*d;`, markHead, stampDigits, stamp, seqDigits, seq)
	for len(b) < size-1 {
		b = append(b, 'x')
	}
	return append(b, '"')
}

// mark is what a mark says.
type mark struct {
	stamp int64
	seq   uint64
}

// nextMark finds the first mark in b and returns what is behind it. It looks at hint first, and returns where it was:
// publications of one channel have it all in the same place.
func nextMark(b []byte, hint int) (m mark, rest []byte, at int, ok bool) {
	if m, ok = markAt(b, hint); ok {
		return m, b[hint+markBytes:], hint, true
	}
	for at = 0; ; at++ {
		i := bytes.Index(b[at:], []byte(markHead))
		if i < 0 {
			return mark{}, nil, hint, false
		}
		at += i
		if m, ok = markAt(b, at); ok {
			return m, b[at+markBytes:], at, true
		}
	}
}

func markAt(b []byte, at int) (mark, bool) {
	if at+markBytes > len(b) || string(b[at:at+len(markHead)]) != markHead {
		return mark{}, false
	}
	digits := b[at+len(markHead):]
	stamp, ok1 := number(digits[:stampDigits])
	seq, ok2 := number(digits[stampDigits+1:][:seqDigits])
	return mark{int64(stamp), seq}, ok1 && ok2
}

func number(digits []byte) (n uint64, ok bool) {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	return n, true
}
