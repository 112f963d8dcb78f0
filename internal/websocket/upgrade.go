package websocket

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"time"
)

// handshakeTimeout bounds the writing of a handshake's answer: a few hundred bytes into an empty socket.
const handshakeTimeout = 10 * time.Second

// Upgrade answers a WebSocket handshake and hands the connection to the Handler that accept returns, which must not be
// nil. It returns as soon as that is done: the HTTP handler may then return, and nothing of the request is kept.
//
// The handshake is checked strictly (RFC 6455 section 4.2). If it is refused, or the server is closed, Upgrade has
// answered with an HTTP error and returns what was wrong. Whether the origin is welcome is the caller's to check before.
// Of the subprotocols, the first that the client offers and that is listed is chosen; with none in common the connection
// has none. Headers set on w, such as cookies, are sent along.
//
// accept is called once, after the client was answered; the connection may be used in it. Nothing is read or filled
// before it returns.
func (s *Server) Upgrade(w http.ResponseWriter, r *http.Request, subprotocols []string, accept func(c *Conn) Handler) error {
	if refused := checkHandshake(r); refused != nil {
		refused.write(w)
		return refused
	}
	if !s.enter(&s.connections) {
		http.Error(w, "the server is closed", http.StatusServiceUnavailable)
		return ErrServerClosed
	}
	defer s.connections.Done()

	agreed := agreement{protocol: chooseProtocol(r.Header["Sec-Websocket-Protocol"], subprotocols)}
	if s.cfg.Compression {
		agreed.extension = negotiateDeflate(r.Header["Sec-Websocket-Extensions"])
	}
	answer := handshakeAnswer(w.Header(), r.Header.Get("Sec-Websocket-Key"), agreed)
	nc, early, err := hijack(w, answer)
	if err != nil {
		return fmt.Errorf("websocket: %w", err)
	}
	s.serve(nc, early, agreed, accept)
	return nil
}

// agreement is what a handshake agrees upon. Either may be empty.
type agreement struct{ protocol, extension string }

// handshakeAnswer returns the response that ends the handshake.
func handshakeAnswer(extra http.Header, key string, agreed agreement) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
	fmt.Fprintf(&b, "Sec-WebSocket-Accept: %s\r\n", acceptKey(key))
	if agreed.protocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", agreed.protocol)
	}
	if agreed.extension != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", agreed.extension)
	}
	// Writing to a bytes.Buffer does not fail.
	_ = extra.WriteSubset(&b, map[string]bool{
		"Upgrade": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true,
		"Sec-Websocket-Accept": true, "Sec-Websocket-Protocol": true, "Sec-Websocket-Extensions": true,
	})
	b.WriteString("\r\n")
	return b.Bytes()
}

// hijack takes the connection over from the HTTP server and writes the answer. It returns what the HTTP server had read
// of what follows the handshake.
func hijack(w http.ResponseWriter, answer []byte) (net.Conn, []byte, error) {
	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "this server cannot upgrade connections", http.StatusInternalServerError)
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	early := earlyBytes(buffered.Reader)
	if err := writeAnswer(nc, answer); err != nil {
		_ = nc.Close() // the error that matters is the write's
		return nil, nil, fmt.Errorf("answer the handshake: %w", err)
	}
	return nc, early, nil
}

// earlyBytes copies what r holds, so that nothing keeps r alive.
func earlyBytes(r *bufio.Reader) []byte {
	if r.Buffered() == 0 {
		return nil
	}
	held, _ := r.Peek(r.Buffered()) // cannot fail: it is there
	return bytes.Clone(held)
}

func writeAnswer(nc net.Conn, answer []byte) error {
	if err := nc.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if _, err := nc.Write(answer); err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}
