package earshot_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

func TestTalkOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	c.Want("welcome", `{"id":1,"session":"*"}`)
	c.Send(`{"id":2,"sub":{"ch":"log:news"}}`)
	c.Want("subscribed", `{"id":2,"ch":"log:news","pos":"*"}`)
	c.Send("{\"id\":3,\"pub\":{\"ch\":\"log:news\",\"data\":[1, 2]}}", `{"id":4,"ping":{}}`, `{"id":5,"what":{}}`)
	seen := make(map[string]bool)
	for range 4 {
		frame, text := c.Next()
		for _, kind := range []string{"published", "pub", "pong", "error"} {
			if frame[kind] != nil {
				seen[kind] = true
			}
		}
		if frame["pub"] != nil && !strings.Contains(text, `"data":[1, 2]`) {
			t.Errorf("got %s", text)
		}
	}
	if len(seen) != 4 {
		t.Errorf("got %v", seen)
	}
}

// A client of WebSocket sends line breaks between tokens, which would end a line.
func TestLineBreaksInDataOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	reader := testkit.OpenHTTP(t, srv.URL, "")
	reader.Send(`{"id":1,"sub":{"ch":"log:news"}}`)
	reader.Want("subscribed", `{"id":1}`)
	writer := testkit.Connect(t, srv.URL)
	writer.Send("{\"id\":1,\"pub\":{\"ch\":\"log:news\",\"data\":{\"a\":\r\n\"b\\nc\"}}}")
	writer.Want("published", `{"id":1}`)
	if _, text := reader.Next(); !strings.Contains(text, `"data":{"a":  "b\nc"}`) {
		t.Errorf("got %s", text)
	}
}

// What was not acknowledged is sent again, and a repeated POST is taken once. It is part of row T1 of the faults.
func TestRepeatsOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, "")
	publish := `{"id":1,"pub":{"ch":"log:once","data":1}}`
	for range 3 {
		if status, text := c.Post("?n=1", publish); status != http.StatusNoContent {
			t.Fatalf("POST: %d %s", status, text)
		}
	}
	for _, again := range []string{"first", "again"} {
		_, text := c.Get("?ack=0")
		if strings.Count(text, "\n") != 1 || !strings.Contains(text, `"off":1,`) {
			t.Fatalf("%s: got %q", again, text)
		}
	}
	if status, text := c.Get("?ack=1&wait=0"); status != http.StatusOK || text != "" {
		t.Errorf("after the acknowledgement: %d %q", status, text)
	}
	if page, err := srv.History(t.Context(), "log:once", earshot.HistoryRequest{}); err != nil || len(page.Publications) != 1 {
		t.Errorf("the log has %d, %v", len(page.Publications), err)
	}
	for request, status := range map[string]int{
		"?ack=0":              http.StatusConflict,
		"?ack=2":              http.StatusBadRequest,
		"?ack=1&mode=what":    http.StatusBadRequest,
		"?ack=-1":             http.StatusBadRequest,
		"?ack=1&wait=301":     http.StatusBadRequest,
		"/?ack=1&wait=0":      http.StatusOK,
		"nobody?ack=1&wait=0": http.StatusNotFound,
	} {
		if got, text := c.Get(request); got != status {
			t.Errorf("GET %s: %d %s, want %d", request, got, text, status)
		}
	}
	for request, status := range map[string]int{
		"?n=3": http.StatusConflict, "?n=0": http.StatusBadRequest, "": http.StatusBadRequest, "?n=x": http.StatusBadRequest,
	} {
		if got, text := c.Post(request, publish); got != status {
			t.Errorf("POST %s: %d %s, want %d", request, got, text, status)
		}
	}
}

func TestEndOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	resume := c.Want("welcome", `{"id":1}`)["resume"]
	again := testkit.OpenHTTP(t, srv.URL, fmt.Sprintf(`{"id":1,"hello":{"resume":%q}}`, resume))
	again.Want("welcome", `{"id":1,"resumed":true}`)
	c.Want("bye", `{"code":4201,"name":"moved"}`)
	if status, text := c.Get("?ack=2"); status != http.StatusNotFound || !strings.Contains(text, "no_session") {
		t.Errorf("after bye: %d %s", status, text)
	}
	if status, _ := again.Post("/close", ""); status != http.StatusNoContent {
		t.Errorf("close: %d", status)
	}
	if status, _ := again.Get("?ack=1"); status != http.StatusNotFound {
		t.Errorf("after close: %d", status)
	}
	if left := srv.Sessions(""); len(left) != 1 || left[0].Connected() {
		t.Errorf("sessions: %v", left)
	}
}
