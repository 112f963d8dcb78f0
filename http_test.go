package earshot_test

import (
	"context"
	"fmt"
	"io"
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

// A channel and a publish need no client library.
func TestChannelAndPublishOverHTTP(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	for i := range 3 {
		text := postText(t, srv.URL+"/live/publish/log:news?event=edit&idem=k"+fmt.Sprint(i), fmt.Sprintf(`{"n":%d}`, i))
		if !strings.Contains(text, fmt.Sprintf(`"off":%d,`, i+1)) {
			t.Fatalf("publish: %s", text)
		}
	}
	if text := postText(t, srv.URL+"/live/publish/log:news?event=edit&idem=k2", `{"n":2}`); !strings.Contains(text, `"dup":true`) {
		t.Errorf("a repeat: %s", text)
	}
	events := testkit.Events(t, srv.URL+"/live/sse/log:news?last=2", "")
	events.Want("subscribed", `{"ch":"log:news","pos":"*"}`)
	second := events.Want("", `{"off":2,"event":"edit","data":{"n":1}}`)
	if events.ID != second["pos"] {
		t.Errorf("the id is %q, the position %q", events.ID, second["pos"])
	}
	events.Want("", `{"off":3}`)

	again := testkit.Events(t, srv.URL+"/live/sse/log:news", second["pos"].(string))
	again.Want("subscribed", fmt.Sprintf(`{"pos":%q}`, second["pos"]))
	again.Want("", `{"off":3}`)
	publish(t, srv, "log:news", "live")
	again.Want("", `{"off":4,"data":"live"}`)

	lost := testkit.Events(t, srv.URL+"/live/sse/log:news", "garbage")
	lost.Want("subscribed", `{}`)
	lost.Want("reset", `{"why":"unknown","pos":"*"}`)
	if left := srv.Sessions(""); len(left) > 3 {
		t.Errorf("%d sessions are left by publishes", len(left)-3)
	}
}

func TestRefusalsWithoutLibrary(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{
		Namespaces: map[string]earshot.Namespace{
			"log":    {Kind: earshot.Log, Subscribe: earshot.Anyone, Publish: earshot.Users},
			"closed": {},
		},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			if r.Token == "bad" {
				return earshot.Identity{}, earshot.Unauthorized("no such token")
			}
			return earshot.Identity{User: r.Token}, nil
		},
	})
	for _, tc := range []struct {
		method, path, token, body string
		status                    int
		want                      string
	}{
		{"GET", "sse/closed:a", "", "", 403, `"forbidden"`},
		{"GET", "sse/nowhere:a", "", "", 400, `"bad_channel"`},
		{"GET", "sse/log:a?last=-1", "", "", 400, `"bad_frame"`},
		{"GET", "sse/log:a?since=" + strings.Repeat("x", 200), "", "", 413, `"too_large"`},
		{"GET", "sse/log:a?token=bad", "", "", 401, `"no such token"`},
		{"POST", "sse/log:a", "", "", 405, ""},
		{"GET", "publish/log:a", "", "", 405, ""},
		{"POST", "publish/log:a", "", `1`, 403, `"forbidden"`},
		{"POST", "publish/log:a?token=ann", "", `1`, 403, `"forbidden"`},
		{"POST", "publish/log:a", "bad", `1`, 401, `"unauthorized"`},
		{"POST", "publish/log:a", "ann", `{"a":`, 400, `"bad_frame"`},
		{"POST", "publish/log:a", "ann", strings.Repeat(" ", 65537), 413, `"too_large"`},
		{"POST", "publish/log:a", "ann", `1`, 200, `"published"`},
		{"POST", "http", "", `{"id":1,"hello":{"token":"bad"}}`, 401, `"unauthorized"`},
		{"POST", "http", "", `{"id":1,"ping":{}}`, 400, `"bad_frame"`},
		{"DELETE", "http", "", ``, 405, ``},
	} {
		header := http.Header{}
		if tc.token != "" {
			header.Set("Authorization", "Bearer "+tc.token)
		}
		status, text := request(t, tc.method, srv.URL+"/live/"+tc.path, header, tc.body)
		if status != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s %s: %d %s, want %d", tc.method, tc.path, status, text, tc.status)
		}
	}
}

func postText(t *testing.T, url, text string) string {
	t.Helper()
	status, answer := request(t, http.MethodPost, url, nil, text)
	if status != http.StatusOK {
		t.Fatalf("POST %s: %d %s", url, status, answer)
	}
	return answer
}

func request(t *testing.T, method, url string, header http.Header, text string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
