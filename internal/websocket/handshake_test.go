package websocket

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// shakeHands sends a request as it is and returns the answer.
func shakeHands(t *testing.T, st *station, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", st.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// refusedHandshake is a request that is not a handshake, and the status that says so.
type refusedHandshake struct {
	name, request string
	status        int
}

func refusedHandshakes(t *testing.T) []refusedHandshake {
	good := handshakeRequest()
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in the request", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	key := "Sec-WebSocket-Key: " + testKey + "\r\n"
	return []refusedHandshake{
		{"POST", replace("GET", "POST"), 405},
		{"HEAD", replace("GET", "HEAD"), 405},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0"), 400},
		{"no Host", replace("Host: x\r\n", ""), 400},
		{"no Upgrade", replace("Upgrade: websocket\r\n", ""), 426},
		{"Upgrade to something else", replace("Upgrade: websocket", "Upgrade: h2c"), 426},
		{"Upgrade that only begins so", replace("Upgrade: websocket", "Upgrade: websockets"), 426},
		{"no Connection", replace("Connection: Upgrade\r\n", ""), 400},
		{"Connection without upgrade", replace("Connection: Upgrade", "Connection: keep-alive"), 400},
		{"no version", replace("Sec-WebSocket-Version: 13\r\n", ""), 426},
		{"version 8", replace("Version: 13", "Version: 8"), 426},
		{"version 13 and 8", replace("Version: 13", "Version: 13, 8"), 426},
		{"version twice", handshakeRequest("Sec-WebSocket-Version: 13"), 426},
		{"no key", replace(key, ""), 400},
		{"empty key", replace(testKey, ""), 400},
		{"key of 15 bytes", replace(testKey, "AAAAAAAAAAAAAAAAAAAA"), 400},
		{"key of 17 bytes", replace(testKey, "AAAAAAAAAAAAAAAAAAAAAAA="), 400},
		{"key with bits left over", replace(testKey, "AAAAAAAAAAAAAAAAAAAAAB=="), 400},
		{"key that is not base64", replace(testKey, "AAAAAAAAAAAAAAAAAAAA!A=="), 400},
		{"key twice", handshakeRequest("Sec-WebSocket-Key: " + testKey), 400},
		{"key of a megabyte", replace(testKey, strings.Repeat("A", 1<<19)), 400},
		{"body", handshakeRequest("Content-Length: 2") + "hi", 400},
		{"chunked body", handshakeRequest("Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"subprotocol with a space", handshakeRequest("Sec-WebSocket-Protocol: a b"), 400},
		{"subprotocol twice", handshakeRequest("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: a"), 400},
		{"too many subprotocols", handshakeRequest("Sec-WebSocket-Protocol: " + strings.Repeat("a,", 1000)), 431},
		{"thousands of headers", handshakeRequest(strings.Repeat("Cookie: "+strings.Repeat("x", 1000)+"\r\n", 2000) + "A: b"), 431},
	}
}

func TestHandshakeRefused(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	for _, tt := range refusedHandshakes(t) {
		t.Run(tt.name, func(t *testing.T) {
			res := shakeHands(t, st, tt.request)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if res.StatusCode == http.StatusUpgradeRequired && res.Header.Get("Upgrade") != "websocket" {
				t.Errorf("426 without Upgrade: %v", res.Header)
			}
			if strings.Contains(tt.name, "version") && res.Header.Get("Sec-Websocket-Version") != "13" {
				t.Errorf("does not name version 13: %v", res.Header)
			}
		})
	}
	if len(st.owners) != 0 {
		t.Error("a refused handshake was accepted")
	}
}

func TestHandshakeAccepted(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	good := handshakeRequest()
	tests := []struct {
		name, request, protocol string
	}{
		{"plain", good, ""},
		{"any case", strings.Replace(good, "Upgrade: websocket\r\nConnection: Upgrade", "UPGRADE: WebSocket\r\nconnection: uPgRaDe", 1), ""},
		{"lists", strings.Replace(good, "Upgrade: websocket\r\nConnection: Upgrade",
			"Upgrade: other/1,, websocket\r\nConnection: keep-alive\r\nConnection:\tUpgrade\t", 1), ""},
		{"extensions are not taken", handshakeRequest("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), ""},
		{"long extensions", handshakeRequest("Sec-WebSocket-Extensions: " + strings.Repeat("x;", 100_000)), ""},
		{"subprotocol", handshakeRequest("Sec-WebSocket-Protocol: earshot.v1.json"), "earshot.v1.json"},
		{"subprotocol among others", handshakeRequest("Sec-WebSocket-Protocol: a,b", "Sec-WebSocket-Protocol: earshot.v1.json"), "earshot.v1.json"},
		{"subprotocol in another case", handshakeRequest("Sec-WebSocket-Protocol: Earshot.V1.JSON"), ""},
		{"no subprotocol in common", handshakeRequest("Sec-WebSocket-Protocol: a, b"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := shakeHands(t, st, tt.request)
			if res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("status %d", res.StatusCode)
			}
			want := map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Protocol": tt.protocol,
				"Sec-Websocket-Accept": "ICX+Yqv66kxgM0FcWaLWlFLwTAI=", "Sec-Websocket-Extensions": ""}
			for name, value := range want {
				if got := res.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			if got := (<-st.owners).conn.Subprotocol(); got != tt.protocol {
				t.Errorf("subprotocol %q, want %q", got, tt.protocol)
			}
		})
	}
}

// TestAcceptKey is the example of RFC 6455 section 1.3.
func TestAcceptKey(t *testing.T) {
	if got := acceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Error(got)
	}
}

func TestHandshakeSendsHeaders(t *testing.T) {
	h := http.Header{}
	h.Add("Set-Cookie", "a=b")
	h.Add("Set-Cookie", "c=d\r\nX-Injected: yes")
	h.Set("Upgrade", "other")
	h.Set("Sec-WebSocket-Accept", "other")
	answer := handshakeAnswer(h, testKey, agreement{})
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(answer))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header["Set-Cookie"]; len(got) != 2 || got[0] != "a=b" || res.Header.Get("X-Injected") != "" {
		t.Errorf("headers %v", res.Header)
	}
	if len(res.Header["Upgrade"]) != 1 || len(res.Header["Sec-Websocket-Accept"]) != 1 {
		t.Errorf("headers %v", res.Header)
	}
}

// TestEarlyFrames sends frames in the same packet as the handshake: the HTTP server has read them.
func TestEarlyFrames(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	conn, err := net.Dial("tcp", st.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, Conn: conn, r: bufio.NewReader(conn)}
	whole, half := frame(finText, "early"), frame(finText, "half")
	p.send(append(append([]byte(handshakeRequest()), whole...), half[:5]...))
	if _, err := http.ReadResponse(p.r, nil); err != nil {
		t.Fatal(err)
	}
	p.want(OpText, "early")
	p.send(half[5:])
	p.want(OpText, "half")
	_ = p.Close()
}

// TestSlowHandshake holds up half a handshake while others come and talk, and until the HTTP server has had enough of it.
func TestSlowHandshake(t *testing.T) {
	withDeadline := func(hs *httptest.Server) {
		hs.Config.ReadHeaderTimeout = 200 * time.Millisecond
		hs.Start()
	}
	st := startStationWith(t, Config{}, newEcho, withDeadline)
	slow, err := net.Dial("tcp", st.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = io.WriteString(slow, handshakeRequest()[:50])
	p := dialPeer(t, st)
	p.send(frame(finText, "hi"))
	p.want(OpText, "hi")
	_ = slow.SetDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, slow); err != nil {
		t.Errorf("slow handshake was not ended: %v", err)
	}
}

// TestNotHijackable upgrades where there is no connection to take over.
func TestNotHijackable(t *testing.T) {
	s := NewServer(Config{})
	w := httptest.NewRecorder()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(handshakeRequest())))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Upgrade(w, r, nil, nil); !errors.Is(err, http.ErrNotSupported) || w.Code != 500 {
		t.Errorf("%v, status %d", err, w.Code)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
