package testkit

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// EventSource reads Server-Sent Events, as a browser's does, but does not come back by itself.
type EventSource struct {
	ID string // of the last event that had one

	t      *testing.T
	answer *bufio.Reader
	cancel context.CancelFunc
}

// Events asks url for events after the one with the id, which may be empty. It is closed at the end of the test.
func Events(t *testing.T, url, lastID string) *EventSource {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &EventSource{t: t, answer: bufio.NewReader(resp.Body), cancel: cancel}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
	})
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("events: %s, %s", resp.Status, kind)
	}
	return s
}

// Close hangs up.
func (s *EventSource) Close() { s.cancel() }

// Next returns the next event.
func (s *EventSource) Next() (name, data string) {
	s.t.Helper()
	for {
		line, err := s.answer.ReadString('\n')
		if err != nil {
			s.t.Fatalf("read events: %v", err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			s.ID = value
		case "event":
			name = value
		case "data":
			data = value
		case "\n", "":
			if value == "" && data != "" {
				return name, data
			}
		}
	}
}

// Want reads the next event, which must have the name and, in its data, at least the given members, and returns its data.
func (s *EventSource) Want(name, want string) map[string]any {
	s.t.Helper()
	got, data := s.Next()
	if got != name {
		s.t.Fatalf("got an event %q with %s, want %q", got, data, name)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(data), &body); err != nil {
		s.t.Fatalf("data %s: %v", data, err)
	}
	return wanted(s.t, map[string]any{name: body}, data, name, want)
}
