package websocket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testKey is a valid Sec-WebSocket-Key.
const testKey = "AAAAAAAAAAAAAAAAAAAAAA=="

// peer is a client made of a bare socket, which can break every rule.
type peer struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

// dialPeer connects a peer that has shaken hands.
func dialPeer(t testing.TB, st *station) *peer {
	t.Helper()
	p, _ := dialPeerWith(t, st)
	return p
}

// dialPeerWith is dialPeer with further header lines. It returns the server's answer, too.
func dialPeerWith(t testing.TB, st *station, lines ...string) (*peer, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", st.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, Conn: conn, r: bufio.NewReader(conn)}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	p.send([]byte(handshakeRequest(lines...)))
	res, err := http.ReadResponse(p.r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", res, err)
	}
	return p, res
}

// handshakeRequest returns a handshake with further header lines.
func handshakeRequest(lines ...string) string {
	return "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + testKey + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
}

// send writes bytes; that the server has gone meanwhile is no failure.
func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil && !isGone(err) {
		p.t.Fatalf("send: %v", err)
	}
}

func isGone(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// halfClose ends the peer's side of TCP; it still reads.
func (p *peer) halfClose() {
	p.t.Helper()
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		p.t.Fatal(err)
	}
}

// sendIn writes bytes in writes of at most size.
func (p *peer) sendIn(size int, b []byte) {
	p.t.Helper()
	for len(b) > 0 {
		n := min(size, len(b))
		p.send(b[:n])
		b = b[n:]
	}
}

// serverFrame is a frame as a client sees it.
type serverFrame struct {
	op      Opcode
	payload []byte
}

// next reads a frame.
func (p *peer) next() (serverFrame, error) {
	head := make([]byte, 2, 10)
	if _, err := io.ReadFull(p.r, head); err != nil {
		return serverFrame{}, err
	}
	if head[0]&0xF0 != bitFin || head[1]&bitMask != 0 {
		return serverFrame{}, fmt.Errorf("header % x", head)
	}
	size := int(head[1])
	if ext := sizeBytes(head[1]); ext > 0 {
		long := make([]byte, 8)
		if _, err := io.ReadFull(p.r, long[8-ext:]); err != nil {
			return serverFrame{}, err
		}
		size = int(binary.BigEndian.Uint64(long))
	}
	f := serverFrame{op: Opcode(head[0] & bitsOp), payload: make([]byte, size)}
	_, err := io.ReadFull(p.r, f.payload)
	return f, err
}

// want reads a frame, which must be the given one.
func (p *peer) want(op Opcode, payload string) {
	p.t.Helper()
	f, err := p.next()
	if err != nil {
		p.t.Fatalf("want frame %x %.40q, got %v", op, payload, err)
	}
	if f.op != op || string(f.payload) != payload {
		p.t.Fatalf("want frame %x %.40q, got %x %.40q", op, payload, f.op, f.payload)
	}
}

// wantClose reads frames up to a close frame, which must have the given code, and after which nothing may follow, and
// closes. Code CloseNoCode stands for an empty one.
func (p *peer) wantClose(code uint16) {
	p.t.Helper()
	if got := p.untilClose(); codeOf(got) != code {
		p.t.Fatalf("want close code %d, got %d %q", code, codeOf(got), got)
	}
	if f, err := p.next(); err != io.EOF {
		p.t.Fatalf("after the close frame: %v, %v", f, err)
	}
	_ = p.Close() // as a client does
}

// untilClose reads frames up to a close frame and returns its payload.
func (p *peer) untilClose() []byte {
	p.t.Helper()
	for {
		f, err := p.next()
		if err != nil {
			p.t.Fatalf("want a close frame, got %v", err)
		}
		if f.op == OpClose {
			return f.payload
		}
	}
}

func codeOf(payload []byte) uint16 {
	if len(payload) < 2 {
		return CloseNoCode
	}
	return binary.BigEndian.Uint16(payload)
}

// frame returns a client's frame: first byte as given, masked, in the shortest form.
func frame(first byte, payload string) []byte { return maskedFrame(first, payload, 0x12345678) }

func maskedFrame(first byte, payload string, key uint32) []byte {
	b := AppendHeader(nil, 0, len(payload))
	b[0] = first
	b[1] |= bitMask
	b = binary.LittleEndian.AppendUint32(b, key)
	at := len(b)
	b = append(b, payload...)
	for i := range len(payload) {
		b[at+i] ^= byte(key >> (8 * (i % 4)))
	}
	return b
}

// Frames' first bytes.
const (
	finText     = bitFin | byte(OpText)
	finBinary   = bitFin | byte(OpBinary)
	finMore     = bitFin | byte(OpContinuation)
	finPing     = bitFin | byte(OpPing)
	finPong     = bitFin | byte(OpPong)
	finClose    = bitFin | byte(OpClose)
	beginText   = byte(OpText)
	beginBinary = byte(OpBinary)
	more        = byte(OpContinuation)
)

// closeFrame returns a client's close frame.
func closeFrame(code uint16, reason string) []byte {
	return frame(finClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}
