package wire

import (
	"encoding/base64"
	"strconv"
)

// msgpackToJSON returns a frame as the text that the JSON codec reads. With an error it returns the frame's id, if that
// was seen and is not that of a call of the server's.
func msgpackToJSON(frame []byte) (text []byte, id uint64, err error) {
	r := msgpackReader{msgpackScanner: msgpackScanner{in: frame}, out: make([]byte, 0, len(frame)+len(frame)/2)}
	if r.peek().is(packMap) {
		r.object(r.frameField)
	} else {
		r.fail("is no frame, which is a map")
	}
	if r.err == nil && r.pos < len(r.in) {
		r.fail("goes on after the frame")
	}
	if r.err != nil {
		return nil, r.id, r.err
	}
	return r.out, 0, nil
}

// msgpackReader reads a frame of MessagePack and appends it to out as JSON.
type msgpackReader struct {
	msgpackScanner
	out    []byte
	deep   int    // levels that are open
	id     uint64 // the frame's
	result bool   // the frame answers a call: its id is the server's
}

// frameField reads a member of the frame: its id, or the body of its kind.
func (r *msgpackReader) frameField(name string) {
	r.name(name)
	r.result = r.result || name == "result"
	switch {
	case r.peek().is(packMap):
		r.object(r.field)
	case name == "id":
		start := len(r.out)
		r.value()
		r.id, _ = strconv.ParseUint(string(r.out[start:]), 10, 53)
	default:
		r.value()
	}
	if r.result {
		r.id = 0
	}
}

// field reads a field of a frame's body or of a page's publication, where alone bytes may be.
func (r *msgpackReader) field(name string) {
	switch next := r.peek(); {
	case name == "data" && next.is(packBin):
		r.name("b64")
		r.out = append(r.out, '"')
		r.out = base64.StdEncoding.AppendEncode(r.out, r.text(next))
		r.out = append(r.out, '"')
	case name == "b64":
		r.fail(`is a field "b64": in MessagePack, bytes are "data" of type bin`)
	case name == "pubs" && next.is(packArray):
		r.name(name)
		r.array(r.publication)
	default:
		r.member(name)
	}
}

func (r *msgpackReader) publication() {
	if r.peek().is(packMap) {
		r.object(r.field)
	} else {
		r.value()
	}
}

func (r *msgpackReader) member(name string) {
	r.name(name)
	r.value()
}

func (r *msgpackReader) name(name string) { r.out = append(appendString(r.out, name), ':') }

// value reads what can be JSON.
func (r *msgpackReader) value() {
	switch next := r.peek(); next.kind {
	case packMap:
		r.object(r.member)
	case packArray:
		r.array(r.value)
	case packText:
		r.out = appendString(r.out, r.string(next))
	case packPlain:
		r.take(next)
		r.out = append(r.out, next.plain...)
	case packNumber:
		r.out = r.appendNumber(r.out, next)
	case packBin:
		r.fail("is bytes within data, which JSON cannot hold")
	default:
		r.fail("is cut off, or of a type that JSON has not")
	}
}

// object reads a map. field reads each value, and writes it with its name.
func (r *msgpackReader) object(field func(name string)) {
	r.members('{', '}', func() {
		key := r.peek()
		if !key.is(packText) {
			r.fail("is a key of a map, and no string")
			return
		}
		field(r.string(key))
	})
}

func (r *msgpackReader) array(element func()) { r.members('[', ']', element) }

func (r *msgpackReader) members(opener, closer byte, member func()) {
	next := r.peek()
	r.take(next)
	if r.deep++; r.deep > maxServerDepth {
		r.fail("is too deep")
	}
	r.out = append(r.out, opener)
	for i := 0; i < next.length && r.err == nil; i++ {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		member()
	}
	r.out = append(r.out, closer)
	r.deep--
}
