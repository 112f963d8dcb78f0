package wire

import (
	"fmt"
	"strconv"
)

// decoder reads the objects of a frame. It keeps the first thing that is wrong with their content and scans on, because
// the frame's id may come after it, and because not being JSON at all is the worse mistake.
type decoder struct {
	scanner
	strict bool   // a name that is not known is a mistake
	kind   []byte // the frame's kind, while within its body
	fault  *ProtocolError
}

// object is the progress through one JSON object.
type object struct {
	open  bool
	name  []byte     // of the member at hand, without escapes; nil if it is not known
	seen  [12][]byte // the known names before it: no object of the protocol has more
	nSeen int
}

// has reports whether a known member of that name came before the one at hand.
func (o *object) has(name string) bool {
	for _, seen := range o.seen[:o.nSeen] {
		if string(seen) == name {
			return true
		}
	}
	return false
}

// document moves into the object that is the whole frame.
func (d *decoder) document() (o object) {
	if d.peek() != '{' {
		d.check(Errorf(CodeBadFrame, "a frame must be an object"))
		d.skip()
		return o
	}
	d.open('}')
	o.open = true
	return o
}

// enter moves into the object that is the value of outer's member. If it is no object, the one returned has no members.
func (d *decoder) enter(outer *object) (o object) {
	if d.peek() != '{' {
		d.rejectType(outer, "an object")
		return o
	}
	if len(d.kind) == 0 {
		d.kind = outer.name
	}
	d.open('}')
	o.open = true
	return o
}

// next moves to o's next member and reports whether there is one. After a mistake the rest of a body is only scanned.
func (d *decoder) next(o *object) bool {
	if o.name != nil && o.nSeen < len(o.seen) {
		o.seen[o.nSeen] = o.name
		o.nSeen++
	}
	if d.fault != nil && len(d.kind) > 0 {
		d.leave(o)
	}
	if !o.open || !d.more() {
		return false
	}
	raw, escaped := d.key()
	if d.err != nil {
		return false
	}
	o.name = raw
	if escaped {
		o.name = unescapeName(raw)
	}
	if o.has(string(o.name)) {
		d.reject(o, CodeBadFrame, "is there twice")
	}
	return true
}

// unescapeName returns the name that raw stands for, or raw if that is none: with a backslash in it, it is not known.
func unescapeName(raw []byte) []byte {
	if name, ok := unescape(raw); ok {
		return name
	}
	return raw
}

// leave skips the members of o that are left.
func (d *decoder) leave(o *object) {
	for o.open && d.more() {
		d.key()
		d.skip()
	}
	o.open = false
}

// empty reads the object without known members that is outer's member.
func (d *decoder) empty(outer *object) {
	for o := d.enter(outer); d.next(&o); {
		d.unknown(&o)
	}
}

// unknown skips the value of o's member because its name is not known, which is a mistake in a strict decoder.
func (d *decoder) unknown(o *object) {
	if d.strict {
		d.reject(o, CodeBadFrame, "is not known")
	}
	o.name = nil
	d.skip()
}

// reject notes that something is wrong with o's member. Only the first mistake of a frame is put into words: a hostile
// frame has thousands.
func (d *decoder) reject(o *object, code Code, format string, args ...any) {
	if d.fault == nil {
		d.fault = Errorf(code, "%s %s", d.path(o), fmt.Sprintf(format, args...))
	}
}

// rejectType notes that the value of o's member is not of the type it must be, and skips it.
func (d *decoder) rejectType(o *object, want string) {
	d.reject(o, CodeBadFrame, "must be %s", want)
	d.skip()
}

// check notes err, if there is one, as what is wrong with the frame.
func (d *decoder) check(err *ProtocolError) {
	if d.fault == nil {
		d.fault = err
	}
}

// path names o's member, cut to a length that is fit to be repeated.
func (d *decoder) path(o *object) string {
	const maxName = 64
	name := string(o.name[:min(len(o.name), maxName)])
	if len(d.kind) > 0 {
		name = string(d.kind) + "." + name
	}
	return strconv.Quote(name)
}

// result returns what is wrong with the frame, or nil.
func (d *decoder) result() error {
	switch {
	case d.err != nil:
		return d.err
	case d.fault != nil:
		return d.fault
	}
	return nil
}
