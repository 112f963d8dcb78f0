package wire

import (
	"bytes"
	"math"
	"time"
)

// halfPair is what is wrong with a field in which an escape stands for half of a surrogate pair, and so for no text.
const halfPair = "must be without half a surrogate pair"

// text reads the string that is o's member, at most limit bytes of UTF-8.
func (d *decoder) text(o *object, limit int) string {
	b := d.bytes(o)
	if len(b) > limit {
		d.reject(o, CodeTooLarge, "is over %d bytes", limit)
		return ""
	}
	return string(b)
}

// bytes reads the string that is o's member. It returns a part of the frame, or a copy if there were escapes.
func (d *decoder) bytes(o *object) []byte {
	if d.peek() != '"' {
		d.rejectType(o, "a string")
		return nil
	}
	raw, escaped := d.quoted()
	if !escaped {
		return raw
	}
	text, ok := unescape(raw)
	if !ok {
		d.reject(o, CodeBadFrame, halfPair)
	}
	return text
}

// integer reads the number that is o's member, written with digits only.
func (d *decoder) integer(o *object, least, most int64) int64 {
	n, ok := parseInteger(d.value())
	if !ok || n < least || n > most {
		d.reject(o, CodeBadFrame, "must be a whole number from %d to %d", least, most)
		return 0
	}
	return n
}

// parseInteger returns the number that a JSON value stands for, and false if that is no number, was written as a
// fraction or with an exponent, or is beyond an int64. (strconv.ParseInt allocates when it fails, a liberty that hostile
// input would take.)
func parseInteger(value []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(value, []byte{'-'})
	for _, c := range digits {
		if !isDigit(c) || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(value) {
		n = -n
	}
	return n, len(digits) > 0
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
		d.rejectType(o, "true or false")
	}
	return false
}

// version reads the version that is o's member.
func (d *decoder) version(o *object) *uint64 {
	version := uint64(d.integer(o, 0, math.MaxInt64))
	return &version
}

// channel reads the channel name that is o's member.
func (d *decoder) channel(o *object) string {
	channel := string(d.bytes(o))
	d.check(checkChannel(channel))
	return channel
}

// mapKey reads the key of a map that is o's member.
func (d *decoder) mapKey(o *object) string {
	key := string(d.bytes(o))
	d.check(checkMapKey(key))
	return key
}
