package wire

import "unicode/utf8"

// scanner reads JSON text (RFC 8259) once, front to back, without copying it. The first thing that is not JSON ends
// the scan: err is set, and from then on every method reports the end of the text.
type scanner struct {
	text []byte
	pos  int
	err  *ProtocolError

	maxDepth int
	depth    int                  // objects and arrays that are open
	fresh    bool                 // the innermost of them had no member yet
	closers  [maxServerDepth]byte // the bracket that closes each of them
}

// newScanner returns a scanner of text that fails beyond maxDepth levels, and at once if text is not UTF-8.
func newScanner(text []byte, maxDepth int) scanner {
	s := scanner{text: text, maxDepth: maxDepth}
	if !utf8.Valid(text) {
		s.fail(Errorf(CodeBadFrame, "the text is not UTF-8"))
	}
	return s
}

// fail ends the scan with err, unless it has ended before.
func (s *scanner) fail(err *ProtocolError) {
	if s.err == nil {
		s.err = err
	}
	s.pos = len(s.text)
}

// failSyntax ends the scan because something other than what JSON wants is at pos.
func (s *scanner) failSyntax(want string) {
	switch {
	case s.err != nil:
	case s.pos >= len(s.text):
		s.fail(Errorf(CodeBadFrame, "the JSON text ends where %s should be", want))
	default:
		s.fail(Errorf(CodeBadFrame, "not JSON at byte %d, where %s should be", s.pos, want))
	}
}

// peek moves over white space and returns the byte there, or zero at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// end reports whether the text was valid and nothing but white space is left.
func (s *scanner) end() bool {
	s.peek()
	if s.pos < len(s.text) {
		s.failSyntax("the end")
	}
	return s.err == nil
}

// value reads one value of any kind and returns its text, without the white space around it.
func (s *scanner) value() []byte {
	s.peek()
	start := s.pos
	s.skip()
	return s.text[start:s.pos:s.pos]
}

// skip moves over one value of any kind. It is a loop rather than a recursion, so that depth costs a byte of the
// scanner and not a frame of the stack.
func (s *scanner) skip() {
	outer := s.depth
	s.begin()
	for s.err == nil && s.depth > outer {
		if !s.more() {
			continue
		}
		if s.closers[s.depth-1] == '}' {
			s.key()
		}
		s.begin()
	}
}

// begin reads a string, number or literal, or the bracket that opens an object or array.
func (s *scanner) begin() {
	switch c := s.peek(); c {
	case '{':
		s.open('}')
	case '[':
		s.open(']')
	case '"':
		s.quoted()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		if c != '-' && !isDigit(c) {
			s.failSyntax("a value")
			return
		}
		s.number()
	}
}

// open moves over a bracket and into the object or array that closer will end.
func (s *scanner) open(closer byte) {
	if s.depth == s.maxDepth {
		s.fail(Errorf(CodeBadFrame, "more than %d levels deep at byte %d", s.maxDepth, s.pos))
		return
	}
	s.closers[s.depth] = closer
	s.depth++
	s.fresh = true
	s.pos++
}

// more moves to the next member of the innermost object or array and reports whether there is one. If there is none,
// it moves out of it.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	first := s.fresh
	s.fresh = false
	switch c := s.peek(); {
	case c == s.closers[s.depth-1]:
		s.depth--
		s.pos++
		return false
	case first:
		return true
	case c == ',':
		s.pos++
		return true
	}
	s.failSyntax("a comma or a closing bracket")
	return false
}

// key reads an object's next name and the colon after it. It returns what quoted returns.
func (s *scanner) key() (raw []byte, escaped bool) {
	if s.peek() != '"' {
		s.failSyntax("a name in quotes")
		return nil, false
	}
	raw, escaped = s.quoted()
	if s.peek() != ':' {
		s.failSyntax("a colon")
		return nil, false
	}
	s.pos++
	return raw, escaped
}
