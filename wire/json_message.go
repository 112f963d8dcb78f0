package wire

import (
	"bytes"
	"encoding/base64"
)

// base64Text is what the field b64 holds: RFC 4648 section 4 with padding, and with zeros in the bits left over.
var base64Text = base64.StdEncoding.Strict()

// message reads o's member into m if it is a field of messages, and reports whether it is.
func (d *decoder) message(o *object, m *Message) bool {
	switch string(o.name) {
	case "event":
		m.Event = d.event(o)
	case "tags":
		m.Tags = d.tags(o)
	default:
		return d.data(o, &m.Data)
	}
	return true
}

// data reads o's member into data if it is one of the two fields that hold data, and reports whether it is.
func (d *decoder) data(o *object, data *Data) bool {
	switch string(o.name) {
	case "data":
		d.excludes(o, "b64")
		*data = Data{Body: d.value()}
	case "b64":
		d.excludes(o, "data")
		*data = Data{Body: d.base64(o), Binary: true}
	default:
		return false
	}
	return true
}

// fill makes JSON null explicit, so that Body of JSON data is JSON text.
func (d *Data) fill() {
	if !d.Binary && d.Body == nil {
		d.Body = []byte("null")
	}
}

// excludes notes that o's member and other, which it excludes, are both there.
func (d *decoder) excludes(o *object, other string) {
	if o.has(other) {
		d.reject(o, CodeBadFrame, "excludes %q", other)
	}
}

// event reads the event name that is o's member. The default becomes the empty string.
func (d *decoder) event(o *object) string {
	event := d.text(o, MaxEventBytes)
	if d.strict {
		d.check(checkEvent(event))
	}
	if event == DefaultEvent {
		return ""
	}
	return event
}

// base64 reads the bytes that are o's member.
func (d *decoder) base64(o *object) []byte {
	text := d.bytes(o)
	body := make([]byte, base64Text.DecodedLen(len(text)))
	n, err := base64Text.Decode(body, text)
	// The decoder of the standard library skips line breaks.
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		d.reject(o, CodeBadFrame, "must be standard base64 with padding")
		return nil
	}
	return body[:n]
}

// tags reads the tags that are o's member.
func (d *decoder) tags(o *object) map[string]string {
	if d.peek() != '{' {
		d.rejectType(o, "an object of strings")
		return nil
	}
	var tags map[string]string
	for d.open('}'); d.more(); {
		key, value := d.tag(o)
		if d.err != nil || d.fault != nil {
			continue
		}
		if tags == nil {
			tags = make(map[string]string)
		}
		if _, ok := tags[key]; ok {
			d.reject(o, CodeBadFrame, "has a key twice")
		}
		tags[key] = value
		d.check(checkTag(key, value))
		d.check(checkTagCount(len(tags)))
	}
	return tags
}

// tag reads one tag of those that are o's member.
func (d *decoder) tag(o *object) (key, value string) {
	raw, escaped := d.key()
	if escaped {
		text, ok := unescape(raw)
		if !ok {
			d.reject(o, CodeBadFrame, halfPair)
		}
		raw = text
	}
	if d.peek() != '"' {
		d.rejectType(o, "an object of strings")
		return "", ""
	}
	return string(raw), string(d.bytes(o))
}
