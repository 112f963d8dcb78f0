package wire

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"
)

// Each of these appends a field and a comma, or nothing if the value is the one that is left out. closeObject makes the
// last comma the closing bracket.

func appendName(dst []byte, name string) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return append(appendString(appendName(dst, name), value), ',')
}

func appendInt(dst []byte, name string, value int64) []byte {
	if value == 0 {
		return dst
	}
	return append(strconv.AppendInt(appendName(dst, name), value, 10), ',')
}

func appendUint(dst []byte, name string, value uint64) []byte {
	if value == 0 {
		return dst
	}
	return append(strconv.AppendUint(appendName(dst, name), value, 10), ',')
}

// appendMS rounds up, so that a short duration does not become none.
func appendMS(dst []byte, name string, value time.Duration) []byte {
	ms := value.Milliseconds()
	if time.Duration(ms)*time.Millisecond < value {
		ms++
	}
	return appendInt(dst, name, ms)
}

// appendVersion appends a version, zero too, or nothing if there is none.
func appendVersion(dst []byte, name string, version *uint64) []byte {
	if version == nil {
		return dst
	}
	return append(strconv.AppendUint(appendName(dst, name), *version, 10), ',')
}

func appendTrue(dst []byte, name string, value bool) []byte {
	if !value {
		return dst
	}
	return append(appendName(dst, name), "true,"...)
}

// appendCode appends a code and its name.
func appendCode(dst []byte, code Code) []byte {
	if code == 0 {
		return dst
	}
	return appendText(appendUint(dst, "code", uint64(code)), "name", code.String())
}

// appendMessage appends the fields of a message. Tags come in the order of their keys, so that equal messages are equal
// text.
func appendMessage(dst []byte, m *Message) []byte {
	if m.Event != DefaultEvent {
		dst = appendText(dst, "event", m.Event)
	}
	dst = appendData(dst, m.Data)
	if len(m.Tags) == 0 {
		return dst
	}
	var onStack [MaxTags]string
	keys := onStack[:0]
	for key := range m.Tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	dst = append(appendName(dst, "tags"), '{')
	for _, key := range keys {
		dst = append(appendString(dst, key), ':')
		dst = append(appendString(dst, m.Tags[key]), ',')
	}
	return append(closeObject(dst), ',')
}

func appendData(dst []byte, data Data) []byte {
	if data.Binary {
		dst = append(appendName(dst, "b64"), '"')
		return append(base64.StdEncoding.AppendEncode(dst, data.Body), '"', ',')
	}
	dst = appendName(dst, "data")
	if len(data.Body) == 0 {
		return append(dst, "null,"...)
	}
	return append(append(dst, data.Body...), ',')
}

// openFrame begins a frame.
func openFrame(dst []byte, id uint64) []byte { return appendUint(append(dst, '{'), "id", id) }

// closeObject ends an object or a frame.
func closeObject(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}')
}
