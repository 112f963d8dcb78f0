package client

import (
	"fmt"
	"net/url"
	"strings"
)

// mountBase is where a server mounts its endpoints when the address names no path.
const mountBase = "/live"

// base is where a server's endpoints are: http or https, the host, and the path.
type base struct{ scheme, host, path string }

// parseBase returns the base that an address names, by any scheme that clients use.
func parseBase(address string) (base, error) {
	u, err := url.Parse(address)
	if err != nil {
		return base{}, fmt.Errorf("server address: %w", err)
	}
	b := base{host: u.Host, path: strings.TrimRight(u.Path, "/")}
	switch u.Scheme {
	case "http", "ws":
		b.scheme = "http"
	case "https", "wss":
		b.scheme = "https"
	default:
		return base{}, fmt.Errorf("server address %q: want http://host:port or https://host:port", address)
	}
	if u.Host == "" {
		return base{}, fmt.Errorf("server address %q: no host", address)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return base{}, fmt.Errorf("server address %q: want no user, query or fragment", u.Redacted())
	}
	if b.path == "" {
		b.path = mountBase
	}
	b.path = (&url.URL{Path: b.path}).EscapedPath()
	return b, nil
}

// socket is the WebSocket endpoint: http://host:port/base becomes ws://host:port/base/websocket.
func (b base) socket() string {
	return strings.Replace(b.scheme, "http", "ws", 1) + "://" + b.host + b.path + "/websocket"
}

// exchange is the endpoint of exchanges over HTTP.
func (b base) exchange() string { return b.scheme + "://" + b.host + b.path + "/http" }
