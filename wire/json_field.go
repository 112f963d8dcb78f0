package wire

import (
	"strconv"
	"time"
)

// halfPair is what a field's text must be where an escape names half of a surrogate pair.
const halfPair = "without half a surrogate pair"

// text reads the string that is o's member, at most limit bytes of UTF-8.
func (d *decoder) text(o *object, limit int) string {
	b := d.bytes(o)
	if len(b) > limit {
		d.reject(CodeTooLarge, "%s is over %d bytes", d.path(o), limit)
		return ""
	}
	return string(b)
}

// bytes reads the string that is o's member. It returns a part of the frame, or a copy if there were escapes.
func (d *decoder) bytes(o *object) []byte {
	if d.peek() != '"' {
		d.rejectField(o, "a string")
		return nil
	}
	raw, escaped := d.quoted()
	if !escaped {
		return raw
	}
	text, ok := unescape(raw)
	if !ok {
		d.rejectValue(o, halfPair)
	}
	return text
}

// integer reads the number that is o's member, written with digits only.
func (d *decoder) integer(o *object, least, most int64) int64 {
	const maxDigits = 20
	token := d.value()
	if len(token) <= maxDigits {
		if n, err := strconv.ParseInt(string(token), 10, 64); err == nil && least <= n && n <= most {
			return n
		}
	}
	if d.err == nil {
		d.rejectValue(o, "a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
	}
	return 0
}

// milliseconds reads the duration that is o's member.
func (d *decoder) milliseconds(o *object, most time.Duration) time.Duration {
	return time.Duration(d.integer(o, 0, most.Milliseconds())) * time.Millisecond
}

// flag reads the boolean that is o's member.
func (d *decoder) flag(o *object) bool {
	switch d.peek() {
	case 't':
		d.literal("true")
		return true
	case 'f':
		d.literal("false")
	default:
		d.rejectField(o, "true or false")
	}
	return false
}

// channel reads the channel name that is o's member.
func (d *decoder) channel(o *object) string {
	if d.peek() != '"' {
		d.rejectField(o, "a string")
		return ""
	}
	channel := string(d.bytes(o))
	d.check(checkChannel(channel))
	return channel
}
