//go:build linux

package crowd

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// maxHandshakeBytes bounds a server's answer to the handshake.
const maxHandshakeBytes = 4 << 10

// endpoint is where a server is, and what to ask it for.
type endpoint struct {
	addr   string // host:port
	path   string // with query; {channel} stands for the channel's name
	secure bool   // over TLS
}

// CheckURL returns what is wrong with the address of a server.
func CheckURL(text string) error {
	_, err := parseEndpoint(text)
	return err
}

func parseEndpoint(text string) (endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, err
	}
	port, known := map[string]string{"ws": "80", "http": "80", "wss": "443", "https": "443"}[u.Scheme]
	if !known || u.Host == "" {
		return endpoint{}, fmt.Errorf("%q is not ws://HOST:PORT/PATH", text)
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), port)
	}
	path := strings.NewReplacer("%7B", "{", "%7D", "}").Replace(u.RequestURI())
	return endpoint{addr: addr, path: path, secure: port == "443"}, nil
}

// request returns the handshake (RFC 6455 section 4.1). The key is that of the RFC: nobody looks whether it is random.
func (e endpoint) request(subprotocol, channel string) []byte {
	var b strings.Builder
	path := strings.ReplaceAll(e.path, "{channel}", url.QueryEscape(channel))
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", path, e.addr)
	b.WriteString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	if subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", subprotocol)
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// accepted finds the end of the answer to a handshake and returns what follows. Until it is all there, ok is false.
func accepted(data []byte) (rest []byte, ok bool, err error) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) > maxHandshakeBytes {
			return nil, false, errors.New("the answer to the handshake does not end")
		}
		return nil, false, nil
	}
	if status, _, _ := bytes.Cut(data, []byte("\r\n")); !bytes.HasPrefix(status, []byte("HTTP/1.1 101")) {
		return nil, false, fmt.Errorf("the handshake was answered by %q", status)
	}
	return data[end+4:], true, nil
}
