package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// packKind is what a value of MessagePack is.
type packKind uint8

const (
	packNothing packKind = iota // the end, or a type without a meaning here
	packMap
	packArray
	packText
	packBin
	packNumber
	packPlain // nil, true or false
)

// packHead is the head of a value: all but the bytes of a number, the contents of a string, or the members.
type packHead struct {
	kind   packKind
	first  byte
	size   int    // of the head, in bytes
	length int    // of a string in bytes, of a map in pairs, of an array in values, of a number in bytes
	plain  string // how JSON writes a packPlain
}

func (h packHead) is(kind packKind) bool { return h.kind == kind }

// msgpackScanner reads MessagePack front to back. The first thing that is wrong is kept in err, and then nothing is left.
type msgpackScanner struct {
	in  []byte
	pos int
	err *ProtocolError
}

func (s *msgpackScanner) fail(what string) {
	if s.err == nil {
		s.err = Errorf(CodeBadFrame, "the MessagePack at byte %d %s", s.pos, what)
	}
	s.pos = len(s.in)
}

// peek returns the head of the next value. Whether its contents are there is found when they are read.
func (s *msgpackScanner) peek() packHead {
	if s.pos >= len(s.in) {
		return packHead{}
	}
	b := s.in[s.pos]
	switch {
	case b < packFixMap || b >= packNegative:
		return packHead{kind: packNumber, first: b, size: 1}
	case b < packFixArray:
		return packHead{kind: packMap, first: b, size: 1, length: int(b & 0x0f)}
	case b < packFixStr:
		return packHead{kind: packArray, first: b, size: 1, length: int(b & 0x0f)}
	case b < packNil:
		return packHead{kind: packText, first: b, size: 1, length: int(b & 0x1f)}
	}
	return s.peekTyped(b)
}

// peekTyped returns the head of a value whose first byte is its whole type.
func (s *msgpackScanner) peekTyped(b byte) packHead {
	switch b {
	case packNil:
		return packHead{kind: packPlain, first: b, size: 1, plain: "null"}
	case packFalse:
		return packHead{kind: packPlain, first: b, size: 1, plain: "false"}
	case packTrue:
		return packHead{kind: packPlain, first: b, size: 1, plain: "true"}
	case packBin8, packBin8 + 1, packBin8 + 2:
		return s.counted(packBin, b, 1<<(b-packBin8))
	case packFloat32:
		return packHead{kind: packNumber, first: b, size: 1, length: 4}
	case packFloat64:
		return packHead{kind: packNumber, first: b, size: 1, length: 8}
	case packUint8, packUint8 + 1, packUint8 + 2, packUint8 + 3:
		return packHead{kind: packNumber, first: b, size: 1, length: 1 << (b - packUint8)}
	case packInt8, packInt8 + 1, packInt8 + 2, packInt8 + 3:
		return packHead{kind: packNumber, first: b, size: 1, length: 1 << (b - packInt8)}
	case packStr8, packStr8 + 1, packStr8 + 2:
		return s.counted(packText, b, 1<<(b-packStr8))
	case packArray16, packArray16 + 1:
		return s.counted(packArray, b, 2<<(b-packArray16))
	case packMap16, packMap16 + 1:
		return s.counted(packMap, b, 2<<(b-packMap16))
	}
	return packHead{first: b, size: 1}
}

// counted returns a head whose length is in the width bytes after the first.
func (s *msgpackScanner) counted(kind packKind, first byte, width int) packHead {
	rest := s.in[s.pos+1:]
	if len(rest) < width {
		return packHead{}
	}
	return packHead{kind: kind, first: first, size: 1 + width, length: int(bigEndian(rest[:width]))}
}

// bigEndian returns the number in up to eight bytes.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// take moves over a head.
func (s *msgpackScanner) take(h packHead) { s.pos += h.size }

// text moves over a string or bytes, and returns them. They are a part of the input.
func (s *msgpackScanner) text(h packHead) []byte {
	s.take(h)
	if len(s.in)-s.pos < h.length {
		s.fail("is cut off")
		return nil
	}
	s.pos += h.length
	return s.in[s.pos-h.length : s.pos]
}

func (s *msgpackScanner) string(h packHead) string {
	text := s.text(h)
	if !utf8.Valid(text) {
		s.fail("comes after a string that is not UTF-8")
	}
	return string(text)
}

// appendNumber moves over a number and appends it as JSON. A float without a fraction keeps its point, so that it stays one.
func (s *msgpackScanner) appendNumber(dst []byte, h packHead) []byte {
	if h.length == 0 {
		s.take(h)
		return strconv.AppendInt(dst, int64(int8(h.first)), 10)
	}
	bits := s.text(h)
	if s.err != nil {
		return dst
	}
	switch {
	case h.first == packFloat32:
		return s.appendFloat(dst, float64(math.Float32frombits(binary.BigEndian.Uint32(bits))))
	case h.first == packFloat64:
		return s.appendFloat(dst, math.Float64frombits(binary.BigEndian.Uint64(bits)))
	case h.first < packInt8:
		return strconv.AppendUint(dst, bigEndian(bits), 10)
	}
	unused := 64 - 8*len(bits)
	return strconv.AppendInt(dst, int64(bigEndian(bits)<<unused)>>unused, 10)
}

func (s *msgpackScanner) appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		s.fail("comes after a number that is not finite, which JSON has not")
		return dst
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendFloat(dst, f, 'f', 1, 64)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}
