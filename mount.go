package earshot

import (
	"net/http"
	"strings"
)

// ServeHTTP serves the endpoints below the path at which the server is mounted: websocket, and http, sse and publish for
// those who cannot use it. Any mount point will do whose path has no such part; clients assume /live/ unless their URL has a
// path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, rest := endpointOf(r.URL.Path)
	switch endpoint {
	case "websocket":
		s.websocket.ServeHTTP(w, r)
	case "http":
		s.http.Frames(w, r, rest)
	case "sse":
		s.http.Channel(w, r, rest)
	case "publish":
		s.http.Publish(w, r, rest)
	default:
		http.Error(w, "Earshot has no such endpoint: connect to websocket below this mount point", http.StatusNotFound)
	}
}

// endpointOf returns the first part of path that is an endpoint, and what follows it.
func endpointOf(path string) (endpoint, rest string) {
	for path != "" {
		var part string
		part, path, _ = strings.Cut(path, "/")
		switch part {
		case "websocket", "http", "sse", "publish":
			return part, path
		}
	}
	return "", ""
}
