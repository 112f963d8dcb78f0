package e2e

import (
	"testing"

	"github.com/earshot/earshot/internal/testkit"
)

// What a person types into a WebSocket tool, and nothing else: the lines of docs/reference/protocol.md.
func TestTypedByHand(t *testing.T) {
	server := startProgram(t, "")
	reader, writer := testkit.Connect(t, server.url()), testkit.Connect(t, server.url())

	reader.Send(`{"sub":{"ch":"log:news"}}`)
	reader.Send(`{"id":1,"ping":{}}`)
	reader.Want("pong", `{"id":1}`) // a subscription without an id has no answer: this one says that it was read
	writer.Send(`{"id":1,"pub":{"ch":"log:news","data":"hello"}}`)
	first := writer.Want("published", `{"id":1,"ch":"log:news","pos":"*","off":1,"durability":"fsync"}`)
	reader.Want("pub", `{"ch":"log:news","off":1,"pos":"*","time":"*","data":"hello"}`)
	writer.Send(`{"pub":{"ch":"log:news","event":"said","data":{"by":"hand"}}}`)
	reader.Want("pub", `{"off":2,"event":"said","data":{"by":"hand"}}`)

	writer.Send(`{"id":2,"history":{"ch":"log:news"}}`)
	page := writer.Want("page", `{"id":2,"ch":"log:news","pos":"*","complete":true}`)
	if pubs, _ := page["pubs"].([]any); len(pubs) != 2 {
		t.Errorf("page %v, want two publications", page)
	}
	writer.Send(`{"id":3,"sub":{"ch":"log:news","since":"` + first["pos"].(string) + `"}}`)
	writer.Want("subscribed", `{"id":3,"ch":"log:news"}`)
	writer.Want("pub", `{"off":2}`)
	writer.Send(`{"id":4,"unsub":{"ch":"log:news"}}`)
	writer.Want("unsubscribed", `{"id":4,"ch":"log:news"}`)

	writer.Send(`{"id":5,"sub":{"ch":"secret:news"}}`)
	writer.Want("error", `{"id":5,"code":101,"name":"bad_channel"}`)
	writer.Send(`{"id":6,"pub":{"ch":"log:news","dta":1}}`)
	writer.Want("error", `{"id":6,"code":100,"name":"bad_frame"}`)
}
