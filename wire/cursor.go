package wire

import "strings"

const readPrefix = "read:"

// ReadMap returns the name of the map that says how far users have read channel: its keys are users, its values
// ReadCursors. It is a valid channel if channel is one of at most MaxReadBytes.
func ReadMap(channel string) string { return readPrefix + channel }

// ReadOf undoes ReadMap: it returns the channel whose read cursors are in the map, or false if channel is no such map.
func ReadOf(channel string) (of string, ok bool) { return strings.CutPrefix(channel, readPrefix) }

// ReadCursor says how far a log was read: up to and including the publication of that offset and position. The offset
// alone would not do: after the log began anew, it counts other publications.
type ReadCursor struct {
	Offset   uint64
	Position string
}

// Data returns c as the value of a key: {"off":7,"pos":"AQAAAAAAAAAqAAAABw"}.
func (c ReadCursor) Data() Data {
	text := appendUint([]byte{'{'}, "off", c.Offset)
	return JSONData(closeObject(appendText(text, "pos", c.Position)))
}

// ParseReadCursor reads what Data wrote, or the same in another order. Everything else is a *ProtocolError, and so is a
// cursor without one of the two.
func ParseReadCursor(value Data) (ReadCursor, error) {
	no := Errorf(CodeBadFrame, "a read cursor is an object with off and pos")
	d := decoder{scanner: newScanner(value.Body, MaxDataDepth), strict: true}
	if value.Binary || d.peek() != '{' {
		return ReadCursor{}, no
	}
	c := d.readCursor()
	if d.end() && (c.Offset == 0 || c.Position == "") {
		d.check(no)
	}
	if err := d.result(); err != nil {
		return ReadCursor{}, err
	}
	return c, nil
}

func (d *decoder) readCursor() (c ReadCursor) {
	for o := d.document(); d.next(&o); {
		switch string(o.name) {
		case "off":
			c.Offset = uint64(d.integer(&o, 1, MaxID))
		case "pos":
			c.Position = d.text(&o, MaxPositionBytes)
		default:
			d.unknown(&o)
		}
	}
	return c
}
