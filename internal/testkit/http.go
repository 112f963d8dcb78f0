package testkit

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// HTTPClient speaks the protocol over plain HTTP by polling: what a person with curl has.
type HTTPClient struct {
	URL string // of the exchange, with the sid

	t      *testing.T
	client *http.Client
	ack    int // frames that were read
	n      int // POSTs that were sent
	lines  []string
}

// OpenHTTP begins an exchange with the server at base, by a hello or nothing.
func OpenHTTP(t *testing.T, base, hello string) *HTTPClient {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return OpenHTTPBy(t, &http.Client{Transport: transport, Timeout: 2 * patience}, base, hello)
}

// OpenHTTPBy is OpenHTTP with a client of the caller's.
func OpenHTTPBy(t *testing.T, client *http.Client, base, hello string) *HTTPClient {
	t.Helper()
	c := &HTTPClient{t: t, client: client, URL: base + "/live/http"}
	status, text := c.Post("", hello)
	first, rest, _ := strings.Cut(text, "\n")
	var opened struct{ Open struct{ SID string } }
	if err := json.Unmarshal([]byte(first), &opened); status != http.StatusOK || err != nil || opened.Open.SID == "" {
		t.Fatalf("open: %d %s", status, text)
	}
	c.URL += "/" + opened.Open.SID
	c.take(rest)
	return c
}

// take counts the frames of an answer. A last line without an end does not count.
func (c *HTTPClient) take(text string) {
	for line := range strings.Lines(text) {
		if strings.HasSuffix(line, "\n") && strings.TrimSpace(line) != "" {
			c.ack++
			c.lines = append(c.lines, strings.TrimSpace(line))
		}
	}
}

// Send sends frames in one numbered POST.
func (c *HTTPClient) Send(frames ...string) {
	c.t.Helper()
	c.n++
	if status, text := c.Post(fmt.Sprintf("?n=%d", c.n), strings.Join(frames, "\n")); status != http.StatusNoContent {
		c.t.Fatalf("send %s: %d %s", frames, status, text)
	}
}

// Want is Client.Want.
func (c *HTTPClient) Want(kind, want string) map[string]any {
	c.t.Helper()
	frame, text := c.Next()
	return wanted(c.t, frame, text, kind, want)
}

// Next polls until there is a frame, and returns it decoded and as text.
func (c *HTTPClient) Next() (frame map[string]any, text string) {
	c.t.Helper()
	for len(c.lines) == 0 {
		status, text := c.Get(fmt.Sprintf("?ack=%d&wait=20", c.ack))
		if status != http.StatusOK || text == "" {
			c.t.Fatalf("poll: %d %q", status, text)
		}
		c.take(text)
	}
	text, c.lines = c.lines[0], c.lines[1:]
	if err := json.Unmarshal([]byte(text), &frame); err != nil {
		c.t.Fatalf("frame %s: %v", text, err)
	}
	return frame, text
}

// Get asks for what the query says.
func (c *HTTPClient) Get(query string) (status int, text string) {
	c.t.Helper()
	return c.Do(http.MethodGet, query, "")
}

// Post posts text as it is.
func (c *HTTPClient) Post(query, text string) (status int, answer string) {
	c.t.Helper()
	return c.Do(http.MethodPost, query, text)
}

// Do makes one request below the exchange's address.
func (c *HTTPClient) Do(method, query, text string) (status int, answer string) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.URL+query, strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
