package earshot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// A reader that stops keeps its session and its place: its connection is closed, it comes back, and goes on where it
// was, in a log without a gap, in a channel that keeps nothing with the number of what it missed. It is row L1 of the
// faults.
func TestStoppedReaderGoesOn(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{StallTimeout: 2 * time.Second})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"hello":{}}`)
	welcome := c.Want("welcome", `{"id":1}`)
	c.Send(`{"id":2,"sub":{"ch":"log:a"}}`)
	logAt := c.Want("subscribed", `{"id":2}`)["pos"]
	c.Send(`{"id":3,"sub":{"ch":"pub:a"}}`)
	pubAt := c.Want("subscribed", `{"id":3}`)["pos"]

	// More than the sockets' buffers hold, of which the client reads nothing until its connection is closed.
	const messages, kilobytes = 400, 60
	large := strings.Repeat("x", kilobytes<<10)
	for i := range messages {
		publish(t, srv, "log:a", i)
		publish(t, srv, "pub:a", large)
	}
	testkit.Eventually(t, "the connection is closed", func() bool { return !srv.Sessions("")[0].Connected() })

	c = testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"resume":%q}}`, welcome["resume"]))
	c.Want("welcome", fmt.Sprintf(`{"id":1,"session":%q,"resumed":true}`, welcome["session"]))
	c.Send(fmt.Sprintf(`{"id":2,"sub":{"ch":"log:a","since":%q}}`, logAt))
	c.Want("subscribed", `{"id":2}`)
	for i := range messages {
		c.Want("pub", fmt.Sprintf(`{"ch":"log:a","data":%d,"off":%d}`, i, i+1))
	}
	c.Send(fmt.Sprintf(`{"id":3,"sub":{"ch":"pub:a","since":%q}}`, pubAt))
	c.Want("subscribed", `{"id":3}`)
	missed := int(c.Want("missed", `{"ch":"pub:a"}`)["count"].(float64))
	for i := missed; i < messages; i++ {
		c.Want("pub", fmt.Sprintf(`{"ch":"pub:a","off":%d}`, i+1))
	}
	t.Logf("missed %d of %d", missed, messages)
}
