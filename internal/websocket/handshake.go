package websocket

import (
	"crypto/sha1" // RFC 6455 names it; nothing secret depends on it
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Bounds of what a handshake may name.
const (
	maxProtocolHeaderBytes = 1 << 10
	keyBytes               = 16
	keyTextBytes           = 24 // keyBytes in base64
	acceptGUID             = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// refusal is a handshake's answer other than 101.
type refusal struct {
	status int
	reason string
	header [2]string // one more header, if named
}

func (e *refusal) Error() string {
	return fmt.Sprintf("websocket: handshake refused with %d: %s", e.status, e.reason)
}

// write answers the request with the refusal.
func (e *refusal) write(w http.ResponseWriter) {
	if e.header[0] != "" {
		w.Header().Set(e.header[0], e.header[1])
	}
	if e.status == http.StatusUpgradeRequired {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	http.Error(w, e.reason, e.status)
}

// checkHandshake checks a request against RFC 6455 section 4.2.1.
func checkHandshake(r *http.Request) *refusal {
	bad := func(reason string) *refusal { return &refusal{status: http.StatusBadRequest, reason: reason} }
	switch {
	case r.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, "a WebSocket handshake is a GET", [2]string{"Allow", "GET"}}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return bad("a WebSocket handshake needs HTTP/1.1")
	case !hasToken(r.Header["Upgrade"], "websocket"):
		return &refusal{status: http.StatusUpgradeRequired, reason: "this address speaks WebSocket: header Upgrade must name websocket"}
	case !hasToken(r.Header["Connection"], "upgrade"):
		return bad("header Connection must name Upgrade")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return bad("a WebSocket handshake has no body")
	case !slices.Equal(r.Header["Sec-Websocket-Version"], []string{"13"}):
		return &refusal{http.StatusUpgradeRequired, "header Sec-WebSocket-Version must be 13", [2]string{"Sec-WebSocket-Version", "13"}}
	case !validKey(r.Header["Sec-Websocket-Key"]):
		return bad("header Sec-WebSocket-Key must be 16 bytes in base64, once")
	}
	return checkProtocols(r.Header["Sec-Websocket-Protocol"])
}

// checkProtocols checks the subprotocols that a client offers.
func checkProtocols(lines []string) *refusal {
	total := 0
	for _, line := range lines {
		total += len(line)
	}
	if total > maxProtocolHeaderBytes {
		return &refusal{status: http.StatusRequestHeaderFieldsTooLarge, reason: "header Sec-WebSocket-Protocol is too long"}
	}
	seen := make(map[string]bool)
	for name := range listItems(lines) {
		if !isToken(name) || seen[name] {
			return &refusal{status: http.StatusBadRequest, reason: "header Sec-WebSocket-Protocol must list different tokens"}
		}
		seen[name] = true
	}
	return nil
}

// chooseProtocol returns the first of the client's subprotocols that is supported, or none.
func chooseProtocol(offered, supported []string) string {
	for name := range listItems(offered) {
		if i := slices.Index(supported, name); i >= 0 {
			return supported[i] // not the request's string, which would keep its headers alive
		}
	}
	return ""
}

// validKey reports whether a handshake's key is there once and is keyBytes in base64.
func validKey(values []string) bool {
	if len(values) != 1 || len(values[0]) != keyTextBytes {
		return false
	}
	var raw [keyTextBytes]byte
	n, err := base64.StdEncoding.Strict().Decode(raw[:], []byte(values[0]))
	return err == nil && n == keyBytes
}

// acceptKey returns the answer to a handshake's key (RFC 6455 section 4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken reports whether a header that is a list names token, in any case.
func hasToken(lines []string, token string) bool {
	for item := range listItems(lines) {
		if strings.EqualFold(item, token) {
			return true
		}
	}
	return false
}

// listItems yields the items of a header that is a comma-separated list, over any number of lines. Empty items are left
// out, as RFC 9110 section 5.6.1 has it.
func listItems(lines []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range lines {
			for item := range strings.SplitSeq(line, ",") {
				if item = strings.Trim(item, " \t"); item != "" && !yield(item) {
					return
				}
			}
		}
	}
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		letterOrDigit := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letterOrDigit && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
