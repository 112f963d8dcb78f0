package transport

import (
	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// lines writes frames as text, each on a line of its own.
type lines struct{ codec wire.Codec }

// Slot is the place of JSON on lines among an entry's encodings.
func (lines) Slot() int { return slotLinesJSON }

// Publication returns p as a line.
func (e lines) Publication(channel string, p *engine.Publication) []byte {
	return e.Frame(nil, wire.ServerFrame{Body: session.Publication(channel, p)})
}

// Frame appends f as a line.
func (e lines) Frame(dst []byte, f wire.ServerFrame) []byte {
	start := len(dst)
	dst = e.codec.AppendServerFrame(dst, f)
	unbreak(dst[start:])
	return append(dst, '\n')
}

// unbreak replaces the line breaks in JSON text. There they can only be white space between tokens, which came with the
// data of a message.
func unbreak(text []byte) {
	for i, c := range text {
		if c == '\n' || c == '\r' {
			text[i] = ' '
		}
	}
}
