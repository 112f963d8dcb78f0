package testkit

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// patience is how long Want waits for a frame. It is long because it only ends a test that has failed.
const patience = 20 * time.Second

// Client is a bare WebSocket connection: what a person with a WebSocket tool has.
type Client struct {
	t    *testing.T
	conn *websocket.Conn
}

// Connect opens a connection to the server at base. It is closed at the end of the test.
func Connect(t *testing.T, base string) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+"/live/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { conn.CloseNow() })
	return &Client{t, conn}
}

// Send sends one text message.
func (c *Client) Send(frame string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		c.t.Fatalf("send %s: %v", frame, err)
	}
}

// Want reads the next frame, which must be of the kind and have at least the given members, and returns its body. The
// text "*" in want stands for any value that is not empty.
func (c *Client) Want(kind, want string) map[string]any {
	c.t.Helper()
	frame, text := c.Next()
	return wanted(c.t, frame, text, kind, want)
}

// wanted checks a frame as Want says, and returns its body.
func wanted(t *testing.T, frame map[string]any, text, kind, want string) map[string]any {
	t.Helper()
	body, ok := frame[kind].(map[string]any)
	if !ok {
		t.Fatalf("got %s, want a frame %q", text, kind)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(want), &members); err != nil {
		t.Fatalf("want %s: %v", want, err)
	}
	if id, ok := members["id"]; ok && !matches(frame["id"], id) {
		t.Fatalf("got %s, want id %v", text, id)
	}
	delete(members, "id")
	for name, value := range members {
		if !matches(body[name], value) {
			t.Fatalf("got %s, want %s to be %v", text, name, value)
		}
	}
	return body
}

// Next reads the next frame, decoded and as text.
func (c *Client) Next() (frame map[string]any, text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if err := json.Unmarshal(b, &frame); err != nil {
		c.t.Fatalf("frame %s: %v", b, err)
	}
	return frame, string(b)
}

// WantClose reads until the server closes, and checks the code.
func (c *Client) WantClose(code int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, b, err := c.conn.Read(ctx)
		if err == nil {
			c.t.Logf("before the close: %s", b)
			continue
		}
		if got := int(websocket.CloseStatus(err)); got != code {
			c.t.Fatalf("closed with %d (%v), want %d", got, err, code)
		}
		return
	}
}

// Close ends the connection without a word.
func (c *Client) Close() { c.conn.CloseNow() }

func matches(got, want any) bool {
	if want == "*" {
		return got != nil && got != "" && got != 0.0
	}
	return reflect.DeepEqual(got, want)
}
