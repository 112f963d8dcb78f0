package wire

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// appendMsgpack appends frame, which is a frame of the JSON codec, as MessagePack.
//
// A number without fraction and exponent is an integer if it fits 64 bits. Every other is the nearest float, beyond the
// range of those an infinity, as in JavaScript. Half of a surrogate pair becomes U+FFFD.
func appendMsgpack(dst, frame []byte) []byte {
	w := msgpackWriter{scanner: newScanner(frame, maxServerDepth), out: dst}
	w.object(func(name []byte, escaped bool) {
		w.str(name, escaped)
		if w.peek() == '{' {
			w.object(w.field)
		} else {
			w.value()
		}
	})
	return w.out
}

// msgpackWriter reads JSON that is known to be valid, and appends to out.
type msgpackWriter struct {
	scanner
	out []byte
}

// field writes a field of a frame's body or of a page's publication: bytes, which are base64 in JSON, as data of type bin.
func (w *msgpackWriter) field(name []byte, escaped bool) {
	switch string(name) {
	case "b64":
		w.str([]byte("data"), false)
		w.peek()
		encoded, _ := w.quoted()
		w.bin(encoded)
	case "pubs":
		w.str(name, escaped)
		w.array(func() { w.object(w.field) })
	default:
		w.member(name, escaped)
	}
}

func (w *msgpackWriter) member(name []byte, escaped bool) {
	w.str(name, escaped)
	w.value()
}

func (w *msgpackWriter) value() {
	switch w.peek() {
	case '{':
		w.object(w.member)
	case '[':
		w.array(w.value)
	case '"':
		w.str(w.quoted())
	case 't':
		w.literal("true")
		w.out = append(w.out, packTrue)
	case 'f':
		w.literal("false")
		w.out = append(w.out, packFalse)
	case 'n':
		w.literal("null")
		w.out = append(w.out, packNil)
	default:
		start := w.pos
		w.number()
		w.out = appendMsgpackNumber(w.out, string(w.text[start:w.pos]))
	}
}

func (w *msgpackWriter) object(write func(name []byte, escaped bool)) {
	w.counted('}', packFixMap, packMap16, func() { write(w.key()) })
}

func (w *msgpackWriter) array(write func()) { w.counted(']', packFixArray, packArray16, write) }

// counted writes what has members until closer. Their number is known last and stands first: room is made for it then.
func (w *msgpackWriter) counted(closer, fix, wide byte, write func()) {
	w.peek()
	w.open(closer)
	start, n := len(w.out), 0
	for ; w.more(); n++ {
		write()
	}
	var head [5]byte
	w.out = slices.Insert(w.out, start, appendLength(head[:0], n, fix, 16, wide)...)
}

// str writes a string that quoted has read.
func (w *msgpackWriter) str(raw []byte, escaped bool) {
	if escaped {
		raw, _ = unescape(raw)
	}
	if n := len(raw); n >= 32 && n <= math.MaxUint8 {
		w.out = append(w.out, packStr8, byte(n))
	} else {
		w.out = appendLength(w.out, n, packFixStr, 32, packStr8+1)
	}
	w.out = append(w.out, raw...)
}

func (w *msgpackWriter) bin(encoded []byte) {
	n := base64.StdEncoding.DecodedLen(len(encoded))
	body := make([]byte, n)
	n, _ = base64.StdEncoding.Decode(body, encoded)
	if n <= math.MaxUint8 {
		w.out = append(w.out, packBin8, byte(n))
	} else {
		w.out = appendLength(w.out, n, 0, 0, packBin8+1)
	}
	w.out = append(w.out, body[:n]...)
}

// appendLength appends a length: within the byte fix if it is under short, otherwise after the byte wide, which is
// followed by 16 bits, or after the byte that comes next, which is followed by 32.
func appendLength(dst []byte, n int, fix byte, short int, wide byte) []byte {
	switch {
	case n < short:
		return append(dst, fix|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, wide), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, wide+1), uint32(n))
}

// appendMsgpackNumber appends the number that text is in JSON, in as few bytes as hold it.
func appendMsgpackNumber(dst []byte, text string) []byte {
	if text != "-0" {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return appendMsgpackUint(dst, n)
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return appendMsgpackNegative(dst, n)
		}
	}
	f, _ := strconv.ParseFloat(text, 64) // beyond the range it is an infinity
	if float64(float32(f)) == f {
		return binary.BigEndian.AppendUint32(append(dst, packFloat32), math.Float32bits(float32(f)))
	}
	return binary.BigEndian.AppendUint64(append(dst, packFloat64), math.Float64bits(f))
}

func appendMsgpackUint(dst []byte, n uint64) []byte {
	switch {
	case n <= math.MaxInt8:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, packUint8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, packUint8+1), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, packUint8+2), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, packUint8+3), n)
}

func appendMsgpackNegative(dst []byte, n int64) []byte {
	switch {
	case n >= -32:
		return append(dst, byte(n))
	case n >= math.MinInt8:
		return append(dst, packInt8, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, packInt8+1), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, packInt8+2), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, packInt8+3), uint64(n))
}
