package earshot_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// endpoints are all ways to the server, as requests that a page could make. SID stands for that of an exchange.
var endpoints = []struct{ method, path, body string }{
	{"GET", "/live/websocket", ""},
	{"POST", "/live/http", `{"id":1,"hello":{}}`},
	{"GET", "/live/http/SID?wait=0", ""},
	{"POST", "/live/http/SID", ""},
	{"POST", "/live/http/SID/close", ""},
	{"OPTIONS", "/live/http", ""},
	{"GET", "/live/sse/log:a", ""},
	{"OPTIONS", "/live/sse/log:a", ""},
	{"POST", "/live/publish/log:a", "1"},
	{"OPTIONS", "/live/publish/log:a", ""},
}

// A page of an origin that is not the server's own or listed, exactly, gets nowhere, on any transport: its visitor's cookies
// would speak for it.
func TestOriginsOnEveryEndpoint(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{AllowedOrigins: []string{"https://app.example", "http://app.example:3000"}})
	own := strings.TrimPrefix(srv.URL, "http://")
	for origin, allowed := range map[string]bool{
		"":                                      true, // no page
		"http://" + own:                         true,
		"https://" + own:                        true, // a proxy may have ended TLS
		"https://app.example":                   true,
		"https://app.example:443":               true, // the same origin
		"HTTPS://App.Example":                   true,
		"http://app.example:3000":               true,
		"null":                                  false,
		"https://other.example":                 false,
		"http://app.example":                    false,
		"https://app.example:3000":              false,
		"https://app.example.evil.test":         false,
		"https://evil-app.example":              false,
		"https://sub.app.example":               false,
		"https://app.example@evil.test":         false,
		"https://evil.test/https://app.example": false,
		"https://app.example/":                  false,
		"https://app.example.":                  false,
		"https://*.example":                     false,
		"*":                                     false,
		"app.example":                           false,
		"file://":                               false,
		"http://" + own + ".evil.test":          false,
		"http://evil" + own:                     false,
		"http://127.0.0.1":                      false,
		"ws://" + own:                           false,
	} {
		for _, e := range endpoints {
			status, named := knock(t, srv, e.method, e.path, e.body, origin)
			if (status != http.StatusForbidden) != allowed || !allowed && named != "" {
				t.Errorf("%s %s from %q: status %d, allows %q", e.method, e.path, origin, status, named)
			}
			if allowed && origin != "" && e.path != "/live/websocket" && named != origin {
				t.Errorf("%s %s from %q: allows %q", e.method, e.path, origin, named)
			}
		}
	}
}

// Of two origins none is believed.
func TestTwoOrigins(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{AllowedOrigins: []string{"https://app.example"}})
	for _, e := range endpoints {
		if status, _ := knock(t, srv, e.method, e.path, e.body, "https://app.example", "https://evil.test"); status != http.StatusForbidden {
			t.Errorf("%s %s: status %d", e.method, e.path, status)
		}
	}
}

// knock makes a request of a page of an origin, and returns the status and which origin the answer allows to read it.
func knock(t *testing.T, srv *testkit.Server, method, path, body string, origins ...string) (status int, named string) {
	t.Helper()
	if strings.Contains(path, "SID") {
		sid := testkit.OpenHTTP(t, srv.URL, "").URL
		path = strings.Replace(path, "SID", sid[strings.LastIndex(sid, "/")+1:], 1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	for _, origin := range origins {
		if origin != "" {
			r.Header.Add("Origin", origin)
		}
	}
	if strings.HasSuffix(path, "/websocket") {
		r.Close = false
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
		} {
			r.Header.Set(k, v)
		}
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin")
}
