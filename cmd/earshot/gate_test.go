package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

// visit serves one new connection at a gate and returns the answer.
func visit(t *testing.T, g *gate) *http.Response {
	t.Helper()
	welcome := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewUnstartedServer(g.admit(welcome))
	server.Config.ConnContext = g.mark
	server.Start()
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		return nil
	}
	resp.Body.Close()
	return resp
}

func wantRefused(t *testing.T, resp *http.Response) {
	t.Helper()
	if resp == nil || resp.StatusCode != http.StatusServiceUnavailable || !resp.Close {
		t.Fatalf("got %+v, want 503 and the end of the connection", resp)
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || s < 1 || s > comeBackWithin {
		t.Errorf("come back after %q", resp.Header.Get("Retry-After"))
	}
}

func TestGateLimitsTheRate(t *testing.T) {
	g := newGate(1, false)
	for n := range connectBurst {
		if resp := visit(t, g); resp == nil || resp.StatusCode != http.StatusNoContent {
			t.Fatalf("connection %d: %+v", n, resp)
		}
	}
	wantRefused(t, visit(t, g))
}

func TestGateKeepsDescriptors(t *testing.T) {
	g := newGate(1000, false)
	if resp := visit(t, g); resp == nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("with room: %+v", resp)
	}
	g.crowded = 1
	wantRefused(t, visit(t, g))
	g.full = 1
	if resp := visit(t, g); resp != nil {
		t.Errorf("without room for an answer: %+v", resp)
	}
}

// A connection that hides its descriptor is judged by the rate alone.
func TestGateWithoutDescriptors(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	g := newGate(1000, false)
	g.crowded, g.full = 1, 1
	if ctx := g.mark(t.Context(), server); ctx.Value(refused{}) != nil {
		t.Error("refused")
	}
}

func TestReservedDescriptors(t *testing.T) {
	for limit, want := range map[int]int{0: 0, 10: 10, 120: 16, 1024: 32, 20_000: 625, 1 << 20: 1024} {
		if got := reserved(limit); got != want {
			t.Errorf("of %d descriptors %d are reserved, want %d", limit, got, want)
		}
	}
}
