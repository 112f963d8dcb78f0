package wire

// quoted reads the string whose opening quote is at pos. It returns what is between the quotes, and whether there are
// escapes in it.
func (s *scanner) quoted() (raw []byte, escaped bool) {
	s.pos++
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], escaped
		case c == '\\':
			escaped = true
			s.escape()
		case c < ' ':
			s.failSyntax("an escape instead of a control character")
		default:
			s.pos++
		}
	}
	s.failSyntax("the end of a string")
	return nil, false
}

// escape moves over the escape whose backslash is at pos.
func (s *scanner) escape() {
	rest := s.text[s.pos+1:]
	switch {
	case len(rest) > 0 && isEscape(rest[0]):
		s.pos += 2
	case len(rest) > 4 && rest[0] == 'u' && isHex(rest[1]) && isHex(rest[2]) && isHex(rest[3]) && isHex(rest[4]):
		s.pos += 6
	default:
		s.failSyntax("a valid escape")
	}
}

// number moves over the number at pos, which begins with a minus or a digit.
func (s *scanner) number() {
	if s.text[s.pos] == '-' {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else {
		s.digits()
	}
	if s.at('.') {
		s.pos++
		s.digits()
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		s.digits()
	}
}

// digits moves over one digit or more.
func (s *scanner) digits() {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.failSyntax("a digit")
	}
}

// literal moves over word.
func (s *scanner) literal(word string) {
	if len(s.text)-s.pos < len(word) || string(s.text[s.pos:s.pos+len(word)]) != word {
		s.failSyntax("a value")
		return
	}
	s.pos += len(word)
}

// at reports whether c is at pos.
func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// isEscape reports whether c after a backslash is a whole escape.
func isEscape(c byte) bool {
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	}
	return false
}
