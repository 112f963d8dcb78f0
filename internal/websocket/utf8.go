package websocket

import "unicode/utf8"

// textChecker checks that bytes which come in pieces are UTF-8. It fails at the first byte that cannot be, however the
// text was cut.
type textChecker struct {
	partial [utf8.UTFMax]byte // the beginning of a character that a piece ended in
	n       uint8
}

// check reports whether all that came so far can be the beginning of UTF-8 text.
func (t *textChecker) check(piece []byte) bool {
	for t.n > 0 && len(piece) > 0 {
		t.partial[t.n] = piece[0]
		t.n++
		piece = piece[1:]
		if !utf8.FullRune(t.partial[:t.n]) {
			continue
		}
		if !utf8.Valid(t.partial[:t.n]) {
			return false
		}
		t.n = 0
	}
	whole := len(piece) - partialTail(piece)
	t.n += uint8(copy(t.partial[t.n:], piece[whole:]))
	return utf8.Valid(piece[:whole])
}

// complete reports whether the text may end here.
func (t *textChecker) complete() bool { return t.n == 0 }

// partialTail returns how many bytes at the end of b begin a character without ending it.
func partialTail(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
