// Package transport turns connections into frames for sessions: the handshake over HTTP, the codec, the framing.
package transport

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/internal/websocket"
	"github.com/earshot/earshot/wire"
)

// The places of encodings in an entry, at most hub.Slots.
const (
	slotWebSocketJSON    = iota // JSON in WebSocket frames
	slotLinesJSON               // JSON on a line
	slotEventsJSON              // Server-Sent Events
	slotWebSocketMsgpack        // MessagePack in WebSocket frames
	slotCompressedJSON          // each in compressed WebSocket frames
	slotCompressedMsgpack
)

// A WebSocket's encodings, by its subprotocol; the first one also without any.
var encodings = []encoding{
	{wire.JSON, slotWebSocketJSON, false},
	{wire.Msgpack, slotWebSocketMsgpack, false},
	{wire.JSON, slotCompressedJSON, true},
	{wire.Msgpack, slotCompressedMsgpack, true},
}

// encoding is a codec in WebSocket frames.
type encoding struct {
	codec      wire.Codec
	slot       int
	compressed bool // of publications, each of which is compressed once; answers are short
}

func (e *encoding) opcode() websocket.Opcode {
	if e.codec.Binary() {
		return websocket.OpBinary
	}
	return websocket.OpText
}

func subprotocols() (names []string) {
	for _, e := range encodings {
		if !e.compressed {
			names = append(names, e.codec.Subprotocol())
		}
	}
	return names
}

func encodingOf(c *websocket.Conn) *encoding {
	subprotocol := cmp.Or(c.Subprotocol(), encodings[0].codec.Subprotocol())
	for i := range encodings {
		if e := &encodings[i]; e.codec.Subprotocol() == subprotocol && e.compressed == c.Compresses() {
			return e
		}
	}
	panic("transport: no encoding for " + subprotocol) // it was one of subprotocols
}

// WebSocket serves sessions over WebSocket. It is an http.Handler.
type WebSocket struct {
	node    *session.Node
	server  *websocket.Server
	origins Origins
	log     *slog.Logger
}

// NewWebSocket returns a handler that opens connections of server for node, to pages of the allowed origins.
func NewWebSocket(node *session.Node, server *websocket.Server, origins Origins, log *slog.Logger) *WebSocket {
	return &WebSocket{node: node, server: server, origins: origins, log: log}
}

// ServeHTTP opens a connection. It returns once the handshake is done.
func (t *WebSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !t.origins.Allow(r) {
		http.Error(w, "this origin may not connect: add it to allowed_origins", http.StatusForbidden)
		return
	}
	if t.node.Draining() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server is about to stop", http.StatusServiceUnavailable)
		return
	}
	handshake := session.Handshake{RemoteAddr: r.RemoteAddr, Header: r.Header}
	err := t.server.Upgrade(w, r, subprotocols(), func(c *websocket.Conn) websocket.Handler {
		s := &socket{conn: c, encoding: encodingOf(c)}
		s.link = t.node.NewLink(s, s, handshake)
		s.link.Connected()
		return s
	})
	if err != nil {
		t.log.Debug("websocket handshake failed", "remote", r.RemoteAddr, "error", err)
	}
}

// socket is one WebSocket connection between the layers: it is the connection's handler, and the link's transport and
// encoder.
type socket struct {
	conn     *websocket.Conn
	encoding *encoding
	link     *session.Link
}

// Message decodes one frame for the session. What can't be decoded is answered, and the connection goes on.
func (s *socket) Message(op websocket.Opcode, payload []byte) error {
	codec := s.encoding.codec
	if op != s.encoding.opcode() {
		s.link.Refuse(0, wire.Errorf(wire.CodeBadFrame, "the codec %s has no such messages: %v", codec.Subprotocol(), op))
		return nil
	}
	frame, err := codec.DecodeClientFrame(payload)
	if err != nil {
		s.link.Refuse(frame.ID, err)
		return nil
	}
	s.link.Receive(frame)
	return nil
}

// Fill gives the connection what the session has to say.
func (s *socket) Fill(dst []byte, max int) ([]byte, bool) { return s.link.Fill(dst, max) }

// Closed tells the session that the connection is over.
func (s *socket) Closed(error) { s.link.Lost() }

// Notify has Fill called.
func (s *socket) Notify() { s.conn.Notify() }

// NotifyLater has Fill called after those of others.
func (s *socket) NotifyLater() { s.conn.NotifyLater() }

// Close ends the connection once what the session said is sent.
func (s *socket) Close(code wire.Code, reason string) { s.conn.Close(uint16(code), reason) }

// Slot is the place of this codec in WebSocket frames.
func (s *socket) Slot() int { return s.encoding.slot }

// Publication returns p in a WebSocket frame.
func (s *socket) Publication(channel string, p *engine.Publication) []byte {
	f := wire.ServerFrame{Body: session.Publication(channel, p)}
	if !s.encoding.compressed {
		return s.Frame(nil, f)
	}
	return websocket.AppendCompressed(nil, s.encoding.opcode(), s.encoding.codec.AppendServerFrame(nil, f))
}

// payloads are buffers for frames that are being encoded.
var payloads = sync.Pool{New: func() any { return new([]byte) }}

// maxFrameHeader is the length of a server's longest frame header (RFC 6455, section 5.2).
const maxFrameHeader = 10

// Frame appends f in a WebSocket frame. The header's length depends on that of the payload, which is written first, elsewhere,
// so that what is kept of a publication has just the room that it needs.
func (s *socket) Frame(dst []byte, f wire.ServerFrame) []byte {
	buf := payloads.Get().(*[]byte)
	*buf = s.encoding.codec.AppendServerFrame((*buf)[:0], f)
	dst = slices.Grow(dst, maxFrameHeader+len(*buf))
	dst = append(websocket.AppendHeader(dst, s.encoding.opcode(), len(*buf)), *buf...)
	if cap(*buf) <= wire.MaxFrameBytes {
		payloads.Put(buf)
	}
	return dst
}
