//go:build linux

package bench

import (
	"strings"

	"github.com/earshot/earshot/wire"
)

// bareFrame is what the bare server's publisher sends: a publication as Earshot writes it, so that both write the same
// number of bytes. The position, the time and the offset are those of some publication.
func bareFrame() string {
	const placeholder = `"data"`
	frame := wire.JSON.AppendServerFrame(nil, wire.ServerFrame{Body: wire.Publication{
		Channel: "live:bench", Offset: 1000, Position: "AQAAAAAAAAAqAAAABw", UnixMS: 1_700_000_000_000,
		Message: wire.Message{Data: wire.JSONData([]byte(placeholder))},
	}})
	i := strings.LastIndex(string(frame), placeholder)
	return string(frame[:i]) + "{data}" + string(frame[i+len(placeholder):])
}
