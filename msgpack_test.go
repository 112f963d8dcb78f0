package earshot_test

import (
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// TestBothEncodings has two clients of different encodings talk in one channel.
func TestBothEncodings(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	text := testkit.Connect(t, srv.URL)
	packed := connectWith(t, srv.URL, wire.Msgpack, websocket.CompressionDisabled)

	text.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	text.Want("subscribed", `{"ch":"log:a"}`)
	packed.send(t, wire.ClientFrame{ID: 1, Body: wire.Subscribe{Channel: "log:a"}})
	packed.next(t)

	text.Send(`{"pub":{"ch":"log:a","data":{"n":[1.5,"é"]}}}`)
	if got := packed.next(t).Body.(wire.Publication); string(got.Data.Body) != `{"n":[1.5,"é"]}` || got.Offset != 1 {
		t.Errorf("MessagePack got %+v", got)
	}
	text.Want("pub", `{"off":1}`)
	packed.send(t, wire.ClientFrame{Body: wire.Publish{Channel: "log:a", Message: wire.Message{Data: wire.BinaryData([]byte{0, 255})}}})
	text.Want("pub", `{"off":2,"b64":"AP8="}`)
	if got := packed.next(t).Body.(wire.Publication); !got.Data.Binary || string(got.Data.Body) != "\x00\xff" {
		t.Errorf("MessagePack got %+v", got)
	}

	packed.write(t, websocket.MessageBinary, []byte("\x82\xa2id\x05\xa4ping\x01"))
	if got := packed.next(t); got.ID != 5 || got.Body.(wire.Error).Code != wire.CodeBadFrame {
		t.Errorf("a bad frame is answered with %+v", got)
	}
	packed.write(t, websocket.MessageText, []byte(`{"ping":{}}`))
	if got := packed.next(t); got.Body.(wire.Error).Code != wire.CodeBadFrame {
		t.Errorf("text is answered with %+v", got)
	}
}

// frameClient exchanges frames over a bare connection.
type frameClient struct {
	conn  *websocket.Conn
	codec wire.Codec
}

func connectWith(t *testing.T, base string, codec wire.Codec, mode websocket.CompressionMode) frameClient {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(base, "http", "ws", 1)+"/live/websocket", &websocket.DialOptions{
		Subprotocols: []string{"of.the.future", codec.Subprotocol()}, CompressionMode: mode, CompressionThreshold: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	if got := conn.Subprotocol(); got != codec.Subprotocol() {
		t.Fatalf("the subprotocol is %q", got)
	}
	return frameClient{conn, codec}
}

// kind is the kind of message that frames travel in.
func (c frameClient) kind() websocket.MessageType {
	if c.codec.Binary() {
		return websocket.MessageBinary
	}
	return websocket.MessageText
}

func (c frameClient) send(t *testing.T, f wire.ClientFrame) {
	t.Helper()
	c.write(t, c.kind(), c.codec.AppendClientFrame(nil, f))
}

func (c frameClient) write(t *testing.T, kind websocket.MessageType, b []byte) {
	t.Helper()
	if err := c.conn.Write(t.Context(), kind, b); err != nil {
		t.Fatal(err)
	}
}

func (c frameClient) next(t *testing.T) wire.ServerFrame {
	t.Helper()
	kind, b, err := c.conn.Read(t.Context())
	if err != nil || kind != c.kind() {
		t.Fatalf("read: %v, %v", kind, err)
	}
	f, err := c.codec.DecodeServerFrame(b)
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return f
}
