package client

import (
	"fmt"
	"net/url"
	"strings"
)

// mountBase is where a server mounts its endpoints when the address names no path.
const mountBase = "/live"

// endpoint returns the WebSocket address below a server's base address: http://host:port/base becomes
// ws://host:port/base/websocket.
func endpoint(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("server address: %w", err)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("server address %q: want http://host:port or https://host:port", base)
	}
	if u.Host == "" {
		return "", fmt.Errorf("server address %q: no host", base)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("server address %q: want no user, query or fragment", u.Redacted())
	}
	path := strings.TrimRight(u.Path, "/")
	if path == "" {
		path = mountBase
	}
	return u.Scheme + "://" + u.Host + (&url.URL{Path: path}).EscapedPath() + "/websocket", nil
}
