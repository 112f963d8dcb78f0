package websocket

import (
	"strconv"
	"strings"
)

// maxOffers bounds how many offers of extensions are looked at.
const maxOffers = 16

// deflateAnswer is the extension as it is agreed upon: no message refers to one before it, so that a frame can be compressed once
// for all who get it, and an idle connection holds no window.
const deflateAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

// negotiateDeflate returns the answer to the first of a client's offers of permessage-deflate that can be accepted
// (RFC 7692, section 7.1), or the empty string. An offer that is not well-formed is declined, and the next one considered.
func negotiateDeflate(lines []string) string {
	n := 0
	for offer := range listItems(lines) {
		if n++; n > maxOffers {
			return ""
		}
		if answer, ok := answerOffer(strings.Split(offer, ";")); ok {
			return answer
		}
	}
	return ""
}

// answerOffer answers one offer: the name of the extension, and its parameters.
func answerOffer(parts []string) (answer string, ok bool) {
	if strings.Trim(parts[0], " \t") != "permessage-deflate" {
		return "", false
	}
	answer = deflateAnswer
	seen := make(map[string]bool)
	for _, part := range parts[1:] {
		name, value, valued := strings.Cut(strings.Trim(part, " \t"), "=")
		if seen[name] || !acceptable(name, unquoted(value), valued) {
			return "", false
		}
		seen[name] = true
	}
	if seen["server_max_window_bits"] {
		answer += "; server_max_window_bits=15"
	}
	return answer, true
}

// acceptable reports whether a parameter is valid and can be granted. A window of the server's that is smaller than the
// largest cannot: the frames are those of all clients.
func acceptable(name, value string, valued bool) bool {
	switch name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !valued
	case "server_max_window_bits":
		return value == "15"
	case "client_max_window_bits":
		return !valued || windowBits(value)
	}
	return false
}

// windowBits reports whether value is a number from 8 to 15, without leading zeros (RFC 7692, section 7.1.2).
func windowBits(value string) bool {
	bits, err := strconv.Atoi(value)
	return err == nil && bits >= 8 && bits <= 15 && strconv.Itoa(bits) == value
}

// unquoted returns a parameter's value, which may stand in quotes (RFC 6455, section 9.1).
func unquoted(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
