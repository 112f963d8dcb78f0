package earshot_test

import (
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// TestCompressedBesidePlain has clients with and without compression, and of both encodings, read one channel.
func TestCompressedBesidePlain(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{Compression: true})
	text := strings.Repeat("again and again ", 200)
	for _, codec := range []wire.Codec{wire.JSON, wire.Msgpack} {
		for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover} {
			reader := connectWith(t, srv.URL, codec, mode)
			reader.send(t, wire.ClientFrame{ID: 1, Body: wire.Subscribe{Channel: "log:a"}})
			reader.next(t)
			message := wire.Message{Data: wire.JSONData([]byte(`"` + text + `"`))}
			reader.send(t, wire.ClientFrame{Body: wire.Publish{Channel: "log:a", Message: message}})
			if got, ok := reader.next(t).Body.(wire.Publication); !ok || string(got.Data.Body) != `"`+text+`"` {
				t.Errorf("%s, mode %v: got %+v", codec.Subprotocol(), mode, got)
			}
		}
	}
}
