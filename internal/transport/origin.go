package transport

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origins says which web pages may connect (RFC 6454). A request without an Origin header comes from no web page and is
// allowed; one from the server's own host is allowed; every other must be listed.
type Origins struct {
	// Allowed are exact origins, such as "https://example.com" or "http://localhost:3000".
	Allowed []string
	// InsecureAny allows every page on the web to connect as its visitor.
	InsecureAny bool
}

// Allow reports whether r may connect.
func (o Origins) Allow(r *http.Request) bool {
	values := r.Header.Values("Origin")
	switch {
	case len(values) == 0 || o.InsecureAny:
		return true
	case len(values) > 1:
		return false
	}
	origin, ok := normalOrigin(values[0])
	if !ok {
		return false
	}
	return sameHost(origin, r.Host) || slices.ContainsFunc(o.Allowed, func(allowed string) bool {
		normal, ok := normalOrigin(allowed)
		return ok && normal == origin
	})
}

// normalOrigin returns the scheme and host in lower case, without the scheme's own port. "null" is not an origin that
// can be allowed.
func normalOrigin(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return scheme + "://" + withoutDefaultPort(scheme, host), true
}

func withoutDefaultPort(scheme, host string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// sameHost reports whether origin is a page of the host that the request names. The scheme is not compared: a proxy may
// have ended TLS.
func sameHost(origin, host string) bool {
	scheme, originHost, _ := strings.Cut(origin, "://")
	return (scheme == "http" || scheme == "https") && originHost == withoutDefaultPort(scheme, strings.ToLower(host))
}
