package earshot_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

const revokedWithin = 2 * time.Second

// Whoever is revoked goes from every server within 2 s, and cannot come back anywhere: not by a new session, not by resuming
// one, over no transport. Others stay.
func TestRevokeOnTwoServers(t *testing.T) {
	o := withTokens()
	o.Engine = startRedis(t)
	first, second := testkit.Start(t, o), testkit.Start(t, o)
	stolen, other := tokenOf(t, "ann", "stolen", time.Minute), tokenOf(t, "ann", "other", time.Minute)
	gone, stays := helloWith(t, second, stolen), helloWith(t, second, other)
	overHTTP := testkit.OpenHTTP(t, second.URL, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, stolen))
	overHTTP.Want("welcome", `{"user":"ann"}`)

	began := time.Now()
	if err := first.Revoke(t.Context(), earshot.Revocation{Token: "stolen", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	gone.Want("bye", `{"code":4001,"name":"unauthorized"}`)
	gone.WantClose(4001)
	overHTTP.Want("bye", `{"code":4001}`)
	if took := time.Since(began); took > revokedWithin {
		t.Errorf("it took %v", took)
	}
	stays.Send(`{"id":2,"ping":{}}`)
	stays.Want("pong", `{"id":2}`)
	for _, srv := range []*testkit.Server{first, second} {
		refusedEverywhere(t, srv, stolen)
	}
	if got := outcome(stays, fmt.Sprintf(`{"id":3,"refresh":{"token":%q}}`, other)); got != "refreshed" {
		t.Errorf("the other token: %s", got)
	}

	began = time.Now()
	if err := second.Revoke(t.Context(), earshot.Revocation{User: "ann", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	stays.Want("bye", `{"code":4001}`)
	if took := time.Since(began); took > revokedWithin {
		t.Errorf("it took %v", took)
	}
	for _, srv := range []*testkit.Server{first, second} {
		testkit.Eventually(t, "the user is refused", func() bool {
			c := testkit.Connect(t, srv.URL)
			defer c.Close()
			return outcome(c, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, other)) == "unauthorized"
		})
		helloWith(t, srv, tokenOf(t, "ben", "", time.Minute))
	}
}

// refusedEverywhere tries every way to be somebody with a token.
func refusedEverywhere(t *testing.T, srv *testkit.Server, token string) {
	t.Helper()
	testkit.Eventually(t, "the token is refused", func() bool {
		c := testkit.Connect(t, srv.URL)
		defer c.Close()
		return outcome(c, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token)) == "unauthorized"
	})
	for _, req := range []struct{ method, path, body string }{
		{"POST", "/live/http", fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token)},
		{"GET", "/live/sse/users:a", ""},
		{"POST", "/live/publish/users:a", "1"},
	} {
		if status, text := ask(t, token, req.method, srv.URL+req.path, req.body); status != 401 || !strings.Contains(text, "revoked") {
			t.Errorf("%s %s: %d %s", req.method, req.path, status, text)
		}
	}
}

// ask makes one request with a token over a connection of its own.
func ask(t *testing.T, token, method, url, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// A revoked session cannot be resumed, whatever the token.
func TestRevokedSessionsAreNotResumed(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	c := testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, tokenOf(t, "ann", "stolen", time.Minute)))
	welcome := c.Want("welcome", `{"user":"ann"}`)
	c.Close() // the session waits to be resumed
	if err := srv.Revoke(t.Context(), earshot.Revocation{Token: "stolen", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	resume := func(id string) map[string]any {
		c := testkit.Connect(t, srv.URL)
		c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q,"resume":%q}}`, tokenOf(t, "ann", id, time.Minute), welcome["resume"]))
		frame, _ := c.Next()
		return frame
	}
	if frame := resume("stolen"); frame["error"] == nil {
		t.Errorf("by the token: %v", frame)
	}
	if frame := resume("fresh"); frame["welcome"].(map[string]any)["resumed"] != nil {
		t.Errorf("by another token of the user: %v", frame)
	}
}

// Revocations hold after the server has started anew, and end by themselves or when they are taken back.
func TestRevocationsAreKept(t *testing.T) {
	o := withTokens()
	o.Data = t.TempDir()
	o.OnConnect = func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
		if r.Claims == nil {
			return earshot.Identity{User: "cookie"}, nil
		}
		return earshot.Identity{}, nil
	}
	ways := map[string]string{"ann": tokenOf(t, "ann", "", time.Minute), "cookie": ""}
	t.Run("before", func(t *testing.T) {
		srv := testkit.Start(t, o)
		for user := range ways {
			if err := srv.Revoke(t.Context(), earshot.Revocation{User: user, Until: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := srv.Revoke(t.Context(), earshot.Revocation{User: "soon", Until: time.Now().Add(time.Second)}); err != nil {
			t.Fatal(err)
		}
	})
	srv := testkit.Start(t, o)
	tried := func(token string) string {
		c := testkit.Connect(t, srv.URL)
		defer c.Close()
		return outcome(c, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token))
	}
	for user, token := range ways {
		if got := tried(token); got != "unauthorized" {
			t.Errorf("%s: %s", user, got)
		}
	}
	testkit.Eventually(t, "a revocation ends", func() bool { return tried(tokenOf(t, "soon", "", time.Minute)) == "welcome" })
	if err := srv.Unrevoke(t.Context(), earshot.Revocation{User: "ann"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a revocation is taken back", func() bool { return tried(ways["ann"]) == "welcome" })
}

func TestBadRevocations(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	later := time.Now().Add(time.Hour)
	for name, r := range map[string]earshot.Revocation{
		"of nobody":          {Until: later},
		"of two":             {User: "ann", Token: "t", Until: later},
		"without end":        {User: "ann"},
		"of the past":        {User: "ann", Until: time.Now().Add(-time.Second)},
		"for ever":           {User: "ann", Until: time.Now().AddDate(11, 0, 0)},
		"of an endless name": {User: strings.Repeat("a", 256), Until: later},
	} {
		if srv.Revoke(t.Context(), r) == nil {
			t.Errorf("a revocation %s was accepted", name)
		}
	}
	c := helloWith(t, srv, tokenOf(t, "ann", "", time.Minute))
	for _, frame := range []string{
		`{"id":2,"sub":{"ch":"revoked:all"}}`, `{"id":2,"history":{"ch":"revoked:all"}}`, `{"id":2,"set":{"ch":"revoked:all","key":"k","data":1}}`,
	} {
		if got := outcome(c, frame); got != "bad_channel" {
			t.Errorf("%s: %s", frame, got)
		}
	}
}

// The secret of another user's session is worth as much as one that never was: nobody learns that the session is there.
func TestSessionsOfOthers(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	c := testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, tokenOf(t, "ann", "", time.Minute)))
	secret := c.Want("welcome", `{"user":"ann"}`)["resume"].(string)
	for _, resume := range []string{secret, secret[:len(secret)-1] + "~", strings.Repeat("x", len(secret))} {
		thief := testkit.Connect(t, srv.URL)
		thief.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q,"resume":%q}}`, tokenOf(t, "eve", "", time.Minute), resume))
		got := thief.Want("welcome", `{"user":"eve"}`)
		if got["resumed"] != nil || strings.HasPrefix(secret, got["session"].(string)) {
			t.Errorf("with %q: %v", resume, got)
		}
	}
	c.Send(`{"id":2,"ping":{}}`)
	c.Want("pong", `{"id":2}`) // and the session has not noticed
}

// A server that missed the order, because it was cut off, learns from the map who has to go.
func TestRevokedWithoutAnOrder(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	gone, stays := helloWith(t, srv, tokenOf(t, "ann", "", time.Minute)), helloWith(t, srv, tokenOf(t, "ben", "", time.Minute))
	if err := srv.CommitRevocation(t.Context(), earshot.Revocation{User: "ann", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	gone.Want("bye", `{"code":4001}`)
	stays.Send(`{"id":2,"ping":{}}`)
	stays.Want("pong", `{"id":2}`)
}
