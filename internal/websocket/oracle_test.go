package websocket

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"testing"

	oracle "github.com/coder/websocket"
)

// dialOracle connects coder/websocket, which serves as the other end whose behaviour is known.
func dialOracle(t *testing.T, st *station) *oracle.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := oracle.Dial(ctx, st.http.URL, &oracle.DialOptions{
		HTTPClient:   st.http.Client(),
		Subprotocols: []string{"other", "earshot.v1.json"},
	})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// wrappedListener hides the TCP connection, as a PROXY protocol or a connection limit does.
type wrappedListener struct{ net.Listener }

func (l wrappedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return struct{ net.Conn }{conn}, err
}

// eachStation runs a test over plain TCP, over TLS, and over connections that are hidden by a wrapper.
func eachStation(t *testing.T, cfg Config, newHandler func(c *Conn) *owner, test func(t *testing.T, st *station)) {
	t.Run("tcp", func(t *testing.T) { test(t, startStation(t, cfg, newHandler)) })
	t.Run("tls", func(t *testing.T) { test(t, startStationWith(t, cfg, newHandler, (*httptest.Server).StartTLS)) })
	t.Run("wrapped", func(t *testing.T) {
		test(t, startStationWith(t, cfg, newHandler, func(hs *httptest.Server) {
			hs.Listener = wrappedListener{hs.Listener}
			hs.Start()
		}))
	})
}

func TestEchoToOracle(t *testing.T) {
	cfg := Config{MaxMessageBytes: 1 << 20}
	eachStation(t, cfg, newEcho, func(t *testing.T, st *station) {
		conn := dialOracle(t, st)
		if got := (<-st.owners).conn.Subprotocol(); got != "earshot.v1.json" || conn.Subprotocol() != got {
			t.Errorf("subprotocols %q and %q", got, conn.Subprotocol())
		}
		for _, size := range []int{0, 1, 125, 126, 127, 4096, 65535, 65536, 1 << 20} {
			for _, kind := range []oracle.MessageType{oracle.MessageText, oracle.MessageBinary} {
				payload := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
				if err := exchange(t, conn, kind, payload); err != nil {
					t.Fatalf("%v of %d bytes: %v", kind, size, err)
				}
			}
		}
	})
}

// exchange sends a message and wants it back.
func exchange(t *testing.T, conn *oracle.Conn, kind oracle.MessageType, payload []byte) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := conn.Write(ctx, kind, payload); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	gotKind, got, err := conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if gotKind != kind || !bytes.Equal(got, payload) {
		return fmt.Errorf("got %v of %d bytes back", gotKind, len(got))
	}
	return nil
}
