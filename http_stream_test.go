package earshot_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// stream asks for an answer that goes on.
func stream(t *testing.T, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
	})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", resp.Status)
	}
	return resp
}

func TestStream(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	c.Send(`{"id":2,"sub":{"ch":"log:a"}}`)
	lines := bufio.NewReader(stream(t, c.URL+"?ack=1&mode=stream").Body)
	if padding, _ := lines.ReadString('\n'); len(padding) != 2049 || strings.TrimSpace(padding) != "" {
		t.Errorf("it begins with %q", padding)
	}
	for i := range 4 {
		if i > 0 {
			publish(t, srv, "log:a", i)
		}
		line, err := lines.ReadString('\n')
		var frame map[string]map[string]any
		if json.Unmarshal([]byte(line), &frame); err != nil || i > 0 && frame["pub"]["off"] != float64(i) {
			t.Fatalf("line %d: %s, %v", i, line, err)
		}
	}
	// Another GET takes its place, with what was not acknowledged.
	if _, text := c.Get("?ack=3"); strings.Count(text, "\n") != 2 || !strings.Contains(text, `"off":2`) {
		t.Errorf("the next GET got %q", text)
	}
	if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
		t.Errorf("the earlier one went on with %q, %v", rest, err)
	}
}

// EventSource acknowledges by the number that it saw last.
func TestFramesAsEvents(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	c.Send(`{"id":2,"ping":{}}`, `{"id":3,"ping":{}}`, `{"id":4,"ping":{}}`)
	first := testkit.Events(t, c.URL+"?ack=1&mode=sse", "")
	for number := 2; number < 4; number++ {
		if name, data := first.Next(); name != "" || data != fmt.Sprintf(`{"id":%d,"pong":{}}`, number) || first.ID != fmt.Sprint(number) {
			t.Fatalf("got %q %s with id %s", name, data, first.ID)
		}
	}
	first.Close()
	again := testkit.Events(t, c.URL+"?ack=1&mode=sse", "3")
	if _, data := again.Next(); data != `{"id":4,"pong":{}}` {
		t.Errorf("got %s", data)
	}
}

// A client that does not acknowledge is not read for beyond a bound, and one that does keeps one answer.
func TestAcknowledging(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	const all, size = 40, 8_000
	for range all {
		publish(t, srv, "log:a", strings.Repeat("x", size))
	}
	c := testkit.OpenHTTP(t, srv.URL, "")
	c.Send(`{"sub":{"ch":"log:a","last":40}}`)
	text, err := io.ReadAll(stream(t, c.URL+"?mode=stream").Body)
	if got := strings.Count(string(text), `"pub"`); err != nil || got < 128<<10/size || got > 160<<10/size {
		t.Fatalf("%d of %d came without acknowledgement, %v", got, all, err)
	}
	live := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	live.Send(`{"id":2,"sub":{"ch":"log:a"}}`)
	lines := bufio.NewReader(stream(t, live.URL+"?ack=1&mode=stream").Body)
	for have := 2; have < all; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d: %v", have, err)
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if status, text := live.Post(fmt.Sprintf("?ack=%d", have), ""); status != http.StatusNoContent {
			t.Fatalf("acknowledge: %d %s", status, text)
		}
		have++
		publish(t, srv, "log:a", strings.Repeat("x", size))
	}
}

// An answer that is cut off anywhere is sent again. It is row T1 of the faults.
func TestAnswersCutOff(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	const all = 300
	for i := range all {
		publish(t, srv, "log:a", i)
	}
	for _, mode := range []string{"poll", "stream", "sse"} {
		t.Run(mode, func(t *testing.T) {
			c := testkit.OpenHTTP(t, srv.URL, "")
			c.Send(`{"sub":{"ch":"log:a","last":300}}`)
			have, rounds := 0, 0
			for ; have < all; rounds++ {
				resp := stream(t, fmt.Sprintf("%s?ack=%d&mode=%s&wait=1", c.URL, have, mode))
				cut := make([]byte, 2049+500+rounds*37)
				n, _ := io.ReadFull(resp.Body, cut)
				resp.Body.Close()
				for line := range strings.Lines(string(cut[:n])) {
					if !strings.HasSuffix(line, "\n") || !strings.Contains(line, `{"pub"`) {
						continue
					}
					have++
					if !strings.Contains(line, fmt.Sprintf(`"off":%d,`, have)) {
						t.Fatalf("after %d came %s", have-1, line)
					}
				}
			}
			t.Logf("%d answers were cut off", rounds)
		})
	}
}

// Over HTTP/2 ten tabs of a browser share a connection, and each has an answer that goes on.
func TestManyStreamsOverOneConnection(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	var connections atomic.Int64
	web := httptest.NewUnstartedServer(srv)
	web.EnableHTTP2 = true
	web.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	web.StartTLS()
	const tabs = 10
	var answers []*bufio.Reader
	for range tabs {
		c := testkit.OpenHTTPBy(t, web.Client(), web.URL, `{"id":1,"hello":{}}`)
		c.Send(`{"id":2,"sub":{"ch":"log:a"}}`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"?ack=1&mode=stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := web.Client().Do(r)
		if err != nil || resp.ProtoMajor != 2 {
			t.Fatalf("HTTP/%d, %v", resp.ProtoMajor, err)
		}
		answers = append(answers, bufio.NewReader(resp.Body))
	}
	publish(t, srv, "log:a", "to all")
	for _, answer := range answers {
		for line := ""; !strings.Contains(line, `"to all"`); {
			var err error
			if line, err = answer.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("they took %d connections", n)
	}
	t.Cleanup(web.Close)
}
