package chat

import (
	"net/http"
	"regexp"
)

// plainHost is a host with an optional port, of no other characters: the Host header is the client's, and what net/http
// lets through could end one directive of the policy and begin another.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-]+(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$`)

// setPolicy lets the page load its own files and talk to the server it came from, and nothing else. Script from a
// message could not run even if it were ever put into the page as markup.
func setPolicy(h http.Header, host string) {
	h.Set("Content-Security-Policy", contentPolicy(host))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func contentPolicy(host string) string {
	connect := "connect-src 'self'"
	if plainHost.MatchString(host) {
		// Browsers before Content Security Policy 3 do not count ws: and wss: as 'self'.
		connect += " ws://" + host + " wss://" + host
	}
	return "default-src 'self'; " + connect + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}
