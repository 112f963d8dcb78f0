package inmemory

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func oneChannel(int) string { return "bench:all" }

// newClient returns a connection whose handshake was answered, and that has said its subscription.
func newClient(t *testing.T) *conn {
	t.Helper()
	c, err := New(http.NotFoundHandler(), oneChannel)
	if err != nil {
		t.Fatal(err)
	}
	nc := newConn(c, 0)
	if _, err := nc.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := nc.Read(buf)
	if err != nil || !bytes.HasSuffix(buf[:n], []byte(`{"id":1,"sub":{"ch":"bench:all"}}`)) {
		t.Fatalf("said %q, %v", buf[:n], err)
	}
	return nc
}

// server writes frames as a server does: not masked.
func server(op byte, payload string) string {
	return string([]byte{0x80 | op, byte(len(payload))}) + payload
}

func TestClient(t *testing.T) {
	c := newClient(t)
	pub := server(opText, `{"pub":{"ch":"bench:all"}}`)
	for _, b := range []string{
		server(opText, `{"id":1,"subscribed":{"ch":"bench:all"}}`), pub, pub + pub, server(opPing, "x") + pub,
	} {
		if n, err := c.TryWrite([]byte(b)); n != len(b) || err != nil {
			t.Fatalf("took %d of %d: %v", n, len(b), err)
		}
	}
	if a, d := c.crowd.Arrived(), c.crowd.deliveries.count.Load(); a != 1 || d != 4 || c.crowd.Failure() != nil {
		t.Errorf("%d arrived, %d deliveries, failure %v", a, d, c.crowd.Failure())
	}
	pong := make([]byte, 100)
	if n, _ := c.Read(pong); !bytes.Equal(pong[:n], []byte{0x80 | opPong, 0x81, 0, 0, 0, 0, 'x'}) {
		t.Errorf("answered the ping by %q", pong[:n])
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(pong); err == nil {
		t.Error("can read what is closed")
	}
}

func TestClientFails(t *testing.T) {
	for name, b := range map[string]string{
		"an error":    server(opText, `{"id":1,"error":{"code":101}}`),
		"half":        server(opText, `{"pub":{}}`)[:5],
		"half a head": "\x81",
		"a close":     server(0x8, ""),
	} {
		c := newClient(t)
		if _, err := c.Write([]byte(b)); err != nil {
			t.Fatal(err)
		}
		if c.crowd.Failure() == nil {
			t.Errorf("%s: no failure", name)
		}
	}
}

// TestRefused has a server that takes no WebSocket connections.
func TestRefused(t *testing.T) {
	c, err := New(http.NotFoundHandler(), oneChannel)
	if err != nil {
		t.Fatal(err)
	}
	c.server.ServeHTTP(&door{conn: newConn(c, 0), header: make(http.Header)}, c.request)
	if err := c.Failure(); err == nil || !strings.Contains(err.Error(), "Not Found") {
		t.Errorf("failure %v", err)
	}
}
