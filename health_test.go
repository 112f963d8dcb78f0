package earshot_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// readiness is what ServeReady answers.
type readiness struct {
	status int
	Ready  bool
	Faults []struct {
		Name, Reason string
		Since        time.Time
		Final        bool
	}
}

func ready(t *testing.T, srv *testkit.Server) (r readiness) {
	t.Helper()
	w := httptest.NewRecorder()
	srv.ServeReady(w, httptest.NewRequest(http.MethodGet, "/ready", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if strings.Contains(w.Body.String(), "127.0.0.1") {
		t.Fatalf("an address is in %s", w.Body)
	}
	if r.status = w.Code; r.Ready != (w.Code == http.StatusOK) {
		t.Fatalf("status %d and %s", w.Code, w.Body)
	}
	return r
}

// faulty reports whether the only fault is one of that name, since then.
func (r readiness) faulty(name string, since time.Time) bool {
	return !r.Ready && len(r.Faults) == 1 && r.Faults[0].Name == name && r.Faults[0].Reason != "" && !r.Faults[0].Since.Before(since)
}

// A server whose Redis is killed says so and since when, keeps its clients, and is ready again by itself.
func TestReadyWhileRedisIsAway(t *testing.T) {
	address := freeAddress(t)
	kill := runRedis(t, address)
	srv := testkit.Start(t, earshot.Options{Engine: "redis://" + address})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	c.Want("subscribed", `{"id":1}`)
	if r := ready(t, srv); !r.Ready || len(r.Faults) > 0 {
		t.Fatalf("with Redis: %+v", r)
	}
	killed := time.Now()
	kill()
	testkit.Eventually(t, "the server is not ready", func() bool { return !ready(t, srv).Ready })
	c.Send(`{"id":2,"pub":{"ch":"log:a","data":1}}`)
	c.Want("error", `{"id":2,"name":"unavailable"}`)
	r := ready(t, srv)
	if !r.faulty("unavailable", killed) || r.Faults[0].Final || time.Since(r.Faults[0].Since) > time.Since(killed) {
		t.Errorf("without Redis: %+v", r)
	}
	if h := srv.Health(); h.Faults[0].Err == nil {
		t.Errorf("the operator is not told why: %+v", h)
	}
	runRedis(t, address)
	testkit.Eventually(t, "the server is ready", func() bool { return ready(t, srv).Ready })
	c.Want("reset", `{"ch":"log:a","why":"epoch"}`) // it came back empty
	c.Send(`{"id":3,"pub":{"ch":"log:b","data":2}}`)
	c.Want("published", `{"id":3}`)
}

// Closing, a server says first that it is not ready, and serves its clients meanwhile.
func TestReadyWhileClosing(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{CloseNotice: time.Minute})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	c.Want("subscribed", `{"id":1}`)
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	go func() { closed <- srv.Close(ctx) }()
	testkit.Eventually(t, "the server is not ready", func() bool { return !ready(t, srv).Ready })
	if r := ready(t, srv); !r.faulty("draining", began) {
		t.Errorf("closing: %+v", r)
	}
	c.Send(`{"id":2,"pub":{"ch":"log:a","data":1}}`)
	c.Want("published", `{"id":2}`)
	c.Want("pub", `{"off":1}`)
	late := testkit.Connect(t, srv.URL)
	late.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	late.Want("subscribed", `{"id":1}`)
	cancel() // as if the time were over
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
