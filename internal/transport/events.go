package transport

import (
	"bytes"
	"sync/atomic"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// events writes frames as Server-Sent Events for those who know no frames: the event's name is the kind of frame, none for a
// publication, its data the frame's body, and its id the position.
type events struct {
	codec wire.Codec
	// refusal is the first Error, which is not written: the answer's status says it.
	refusal atomic.Pointer[wire.Error]
	// last says that nothing follows.
	last atomic.Bool
}

// Slot is the place of these events among an entry's encodings.
func (*events) Slot() int { return slotEventsJSON }

// Publication returns p as an event.
func (e *events) Publication(channel string, p *engine.Publication) []byte {
	return e.Frame(nil, wire.ServerFrame{Body: session.Publication(channel, p)})
}

// Frame appends f as an event.
func (e *events) Frame(dst []byte, f wire.ServerFrame) []byte {
	switch body := f.Body.(type) {
	case wire.Error:
		e.refusal.CompareAndSwap(nil, &body)
		return dst
	case wire.Unsubscribed, wire.Bye:
		e.last.Store(true)
	}
	kind, body := splitFrame(e.codec.AppendServerFrame(nil, wire.ServerFrame{Body: f.Body}))
	if position := positionOf(f.Body); position != "" {
		dst = append(append(append(dst, "id: "...), position...), '\n')
	}
	if _, ok := f.Body.(wire.Publication); !ok {
		dst = append(append(append(dst, "event: "...), kind...), '\n')
	}
	unbreak(body)
	dst = append(append(dst, "data: "...), body...)
	return append(dst, "\n\n"...)
}

// splitFrame splits {"kind":body}.
func splitFrame(text []byte) (kind, body []byte) {
	kind, body, _ = bytes.Cut(text[len(`{"`):len(text)-len(`}`)], []byte(`":`))
	return kind, body
}

// positionOf returns the position after a frame; empty if it has none.
func positionOf(body wire.ServerBody) string {
	switch b := body.(type) {
	case wire.Publication:
		return b.Position
	case wire.Subscribed:
		return b.Position
	case wire.Reset:
		return b.Position
	case wire.Missed:
		return b.Position
	case wire.Moved:
		return b.Position
	case wire.Synced:
		return b.Position
	}
	return ""
}
