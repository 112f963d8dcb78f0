// Package websocket is the server's side of RFC 6455 for very many connections: an idle one costs a goroutine with a small
// stack and no buffers, and what goes out is gathered into few writes by a handful of flush workers.
//
// A connection's owner implements Handler: it is handed messages, and is asked for bytes when the socket can take some. It
// never writes by itself, so a peer that stops reading holds up nobody and queues nothing here. DESIGN.md names the
// invariants.
package websocket
