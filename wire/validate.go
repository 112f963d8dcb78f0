package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Namespace returns the part of a channel's name before the first colon, whose rules apply to it, or the empty string
// if there is none.
func Namespace(channel string) string {
	namespace, _, ok := strings.Cut(channel, ":")
	if !ok {
		return ""
	}
	return namespace
}

// ValidateChannel returns a *ProtocolError with CodeBadChannel unless channel is "namespace:rest": at most
// MaxChannelBytes of UTF-8, neither part empty, the namespace of ASCII letters, digits, '-', '_' and '.', and the rest
// without control characters.
func ValidateChannel(channel string) error {
	if err := checkChannel(channel); err != nil {
		return err
	}
	return nil
}

func checkChannel(channel string) *ProtocolError {
	if len(channel) > MaxChannelBytes {
		return Errorf(CodeBadChannel, "a channel name is at most %d bytes", MaxChannelBytes)
	}
	namespace, rest, _ := strings.Cut(channel, ":")
	if namespace == "" || rest == "" {
		return Errorf(CodeBadChannel, "a channel name is namespace:rest, neither part empty")
	}
	if strings.ContainsFunc(namespace, func(r rune) bool { return !inNamespace(r) }) {
		return Errorf(CodeBadChannel, "a namespace is made of letters, digits, '-', '_' and '.'")
	}
	if !isPrintable(rest) {
		return Errorf(CodeBadChannel, "a channel name is UTF-8 without control characters")
	}
	return nil
}

func inNamespace(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.'
}

// isPrintable reports whether s is UTF-8 without control characters.
func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// ValidateUser returns a *ProtocolError with CodeUnauthorized unless user may be the identity of a user: at most
// MaxUserBytes of UTF-8 without control characters. The empty string is an anonymous user.
func ValidateUser(user string) error {
	if len(user) > MaxUserBytes || !isPrintable(user) {
		return Errorf(CodeUnauthorized, "a user's identity is at most %d bytes of UTF-8 without control characters", MaxUserBytes)
	}
	return nil
}

// ValidateMapKey returns a *ProtocolError unless key may be the key of a map: 1 to MaxMapKeyBytes of UTF-8 without
// control characters.
func ValidateMapKey(key string) error {
	if err := checkMapKey(key); err != nil {
		return err
	}
	return nil
}

func checkMapKey(key string) *ProtocolError {
	if len(key) > MaxMapKeyBytes {
		return Errorf(CodeTooLarge, "a key of a map is at most %d bytes", MaxMapKeyBytes)
	}
	if key == "" || !isPrintable(key) {
		return Errorf(CodeBadFrame, "a key of a map is UTF-8 without control characters, and not empty")
	}
	return nil
}

// ValidateMethod returns a *ProtocolError unless method may be that of a call: 1 to MaxMethodBytes of UTF-8 without control
// characters.
func ValidateMethod(method string) error {
	if len(method) > MaxMethodBytes {
		return Errorf(CodeTooLarge, "a method is at most %d bytes", MaxMethodBytes)
	}
	if method == "" || !isPrintable(method) {
		return Errorf(CodeBadFrame, "a method is UTF-8 without control characters, and not empty")
	}
	return nil
}

// ValidateMessage returns a *ProtocolError unless m is within the limits: its event name is UTF-8 without control
// characters, its tags are UTF-8, and its data is bytes or, unless empty, passes ValidJSON.
func ValidateMessage(m Message) error {
	if err := checkMessage(m); err != nil {
		return err
	}
	return nil
}

func checkMessage(m Message) *ProtocolError {
	if err := checkEvent(m.Event); err != nil {
		return err
	}
	if err := checkTags(m.Tags); err != nil {
		return err
	}
	if m.Data.Binary || len(m.Data.Body) == 0 {
		return checkDataSize(m.Data.Body)
	}
	return checkJSON(m.Data.Body)
}

func checkEvent(event string) *ProtocolError {
	if len(event) > MaxEventBytes {
		return Errorf(CodeTooLarge, "an event name is at most %d bytes", MaxEventBytes)
	}
	if !isPrintable(event) {
		return Errorf(CodeBadFrame, "an event name is UTF-8 without control characters")
	}
	return nil
}

func checkTags(tags map[string]string) *ProtocolError {
	if err := checkTagCount(len(tags)); err != nil {
		return err
	}
	for key, value := range tags {
		if err := checkTag(key, value); err != nil {
			return err
		}
	}
	return nil
}

func checkTagCount(n int) *ProtocolError {
	if n > MaxTags {
		return Errorf(CodeTooLarge, "a message has at most %d tags", MaxTags)
	}
	return nil
}

func checkTag(key, value string) *ProtocolError {
	if len(key) > MaxTagKeyBytes || len(value) > MaxTagBytes {
		return Errorf(CodeTooLarge, "a tag is at most %d bytes and its key %d", MaxTagBytes, MaxTagKeyBytes)
	}
	if !utf8.ValidString(key) || !utf8.ValidString(value) {
		return Errorf(CodeBadFrame, "a tag and its key are UTF-8")
	}
	return nil
}

func checkDataSize(body []byte) *ProtocolError {
	if len(body) > MaxFrameBytes {
		return Errorf(CodeTooLarge, "data is at most %d bytes", MaxFrameBytes)
	}
	return nil
}

// ValidJSON returns a *ProtocolError unless text may be the data of a message: one JSON value (RFC 8259) in UTF-8, at
// most MaxFrameBytes long and MaxDataDepth levels deep. White space around it is allowed.
func ValidJSON(text []byte) error {
	if err := checkJSON(text); err != nil {
		return err
	}
	return nil
}

func checkJSON(text []byte) *ProtocolError {
	if err := checkDataSize(text); err != nil {
		return err
	}
	s := newScanner(text, MaxDataDepth)
	s.skip()
	s.end()
	return s.err
}
