package wire

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unescape returns the text that raw, the valid inside of a JSON string, stands for. It reports false if an escape in
// it is half of a surrogate pair, which stands for no text, and has U+FFFD in its place.
func unescape(raw []byte) (text []byte, whole bool) {
	text, whole = make([]byte, 0, len(raw)), true
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			text = append(text, unescapeByte(raw[i+1]))
			i += 2
			continue
		}
		r, size, ok := unescapeRune(raw[i:])
		text, whole = utf8.AppendRune(text, r), whole && ok
		i += size
	}
	return text, whole
}

// unescapeByte returns what c after a backslash stands for.
func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unescapeRune returns the character that the \u escape, or pair of them, at the start of raw stands for, and the
// bytes it takes. It reports false, and returns U+FFFD, for half of a pair.
func unescapeRune(raw []byte) (r rune, size int, ok bool) {
	r = hexRune(raw[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6, true
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(raw[8:12])); pair != utf8.RuneError {
			return pair, 12, true
		}
	}
	return utf8.RuneError, 6, false
}

// hexRune returns the number that hexadecimal digits stand for.
func hexRune(digits []byte) rune {
	var r rune
	for _, c := range digits {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c|0x20-'a'+10)
		}
	}
	return r
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Only what must be escaped is; what is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0 // start of what was not appended yet
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' {
				dst = appendEscape(append(dst, s[plain:i]...), c)
				plain = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = utf8.AppendRune(append(dst, s[plain:i]...), utf8.RuneError)
			plain = i + 1
		}
		i += size
	}
	return append(append(dst, s[plain:]...), '"')
}

// appendEscape appends the escape of a quote, a backslash or a control character.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
