package earshot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/testkit"
)

var testIssuer = earshot.Issuer{Name: "test", Audience: "earshot", Secret: []byte("a secret of the test that nobody else knows")}

// tokenOf returns a token of a user that is good for a while, the leeway for clocks included.
func tokenOf(t *testing.T, user, id string, left time.Duration, grants ...earshot.Grant) string {
	t.Helper()
	now := time.Now()
	token, err := auth.Sign(testIssuer, earshot.Claims{
		User: user, ID: id, Issued: now.Add(-time.Hour), Expires: now.Add(left - 30*time.Second), Grants: grants,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withTokens are namespaces in which nothing is allowed but by grants, to users, or to owners.
func withTokens() earshot.Options {
	owned := earshot.Namespace{
		Kind: earshot.Log, Owners: []earshot.Pattern{"dm:{user},*", "dm:*,{user}"},
		Subscribe: earshot.Owners, Publish: earshot.Owners, ReadHistory: earshot.Owners, Presence: earshot.Owners, ReadCursors: earshot.Users,
	}
	return earshot.Options{
		Tokens: []earshot.Issuer{testIssuer},
		Namespaces: map[string]earshot.Namespace{
			"closed": {Kind: earshot.Log, ReadCursors: earshot.Users}, "board": {Kind: earshot.Map},
			"users": {Kind: earshot.Log, Subscribe: earshot.Users, Publish: earshot.Users, ReadHistory: earshot.Users},
			"dm":    owned,
		},
	}
}

func helloWith(t *testing.T, srv *testkit.Server, token string) *testkit.Client {
	t.Helper()
	c := testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token))
	c.Want("welcome", `{"id":1}`)
	return c
}

func allow(channel earshot.Pattern, operations ...auth.Operation) earshot.Grant {
	return earshot.Grant{Channels: []earshot.Pattern{channel}, Allow: operations}
}

func TestTokensSayWhoAClientIs(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	for token, want := range map[string]string{
		"":                                     "unauthorized",
		"nonsense":                             "unauthorized",
		tokenOf(t, "ann", "", -time.Minute):    "token_expired",
		tokenOf(t, "ann", "", time.Minute):     "welcome",
		tokenOf(t, "ann", "", time.Minute)[1:]: "unauthorized",
	} {
		c := testkit.Connect(t, srv.URL)
		if got := outcome(c, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token)); got != want {
			t.Errorf("%q: %s, want %s", token, got, want)
		}
	}
}

func TestAnonymousOnlyWhereAllowed(t *testing.T) {
	o := withTokens()
	o.AllowAnonymous = true
	c := testkit.Connect(t, testkit.Start(t, o).URL)
	if got := outcome(c, `{"id":1,"hello":{}}`); got != "welcome" {
		t.Error(got)
	}
	if got := outcome(c, `{"id":2,"sub":{"ch":"users:a"}}`); got != "forbidden" {
		t.Error(got)
	}
}

// OnConnect hears what a token says, may refuse it and name another user, and is never asked about a token that is not valid.
func TestOnConnectAfterTheToken(t *testing.T) {
	o := withTokens()
	var asked atomic.Int64
	o.OnConnect = func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
		asked.Add(1)
		switch {
		case r.Claims == nil:
			return earshot.Identity{User: "cookie"}, nil
		case r.Claims.User == "banned":
			return earshot.Identity{}, earshot.Reject("banned")
		case r.Claims.User == "alias":
			return earshot.Identity{User: "real"}, nil
		}
		return earshot.Identity{}, nil
	}
	srv := testkit.Start(t, o)
	for user, want := range map[string]string{"ann": "ann", "alias": "real", "": "cookie"} {
		token := ""
		if user != "" {
			token = tokenOf(t, user, "", time.Minute)
		}
		c := testkit.Connect(t, srv.URL)
		c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token))
		c.Want("welcome", fmt.Sprintf(`{"user":%q}`, want))
	}
	for token, want := range map[string]string{tokenOf(t, "banned", "", time.Minute): "rejected", "nonsense": "unauthorized"} {
		c := testkit.Connect(t, srv.URL)
		if got := outcome(c, fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if asked.Load() != 4 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// An issuer whose keys cannot be had is no reason to turn a client away for good.
func TestKeysThatAreNotThere(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	o := withTokens()
	o.Tokens = []earshot.Issuer{{Name: "test", Audience: "earshot", JWKS: away.URL}}
	c := testkit.Connect(t, testkit.Start(t, o).URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, tokenOf(t, "ann", "", time.Minute)))
	c.Want("error", `{"name":"unavailable","retry_ms":5000}`)
}

// A token that expires ends the connection on every transport, and a fresh one goes on with the session.
func TestTokenExpiresDuringASession(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	hello := fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, tokenOf(t, "ann", "", 2*time.Second))
	c, h := testkit.Connect(t, srv.URL), testkit.OpenHTTP(t, srv.URL, hello)
	c.Send(hello)
	welcome := c.Want("welcome", `{"user":"ann"}`)
	h.Want("welcome", `{"user":"ann"}`)
	stream := srv.URL + "/live/sse/users:a?token=" + tokenOf(t, "ann", "", 2*time.Second)
	resp, err := http.Get(stream)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	var events bytes.Buffer
	if _, err := events.ReadFrom(resp.Body); err != nil || !strings.Contains(events.String(), `"name":"token_expired"`) {
		t.Errorf("%v: %s", err, events.String())
	}
	c.Want("bye", `{"code":4202,"name":"token_expired"}`)
	c.WantClose(4202)
	h.Want("bye", `{"code":4202,"name":"token_expired"}`)

	again := testkit.Connect(t, srv.URL)
	again.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q,"resume":%q}}`, tokenOf(t, "ann", "", time.Minute), welcome["resume"]))
	again.Want("welcome", fmt.Sprintf(`{"session":%q,"resumed":true}`, welcome["session"]))
}

// A refresh with fewer grants ends the subscriptions that are no longer allowed, before it is answered.
func TestRefreshWithFewerGrants(t *testing.T) {
	srv := testkit.Start(t, withTokens())
	c := helloWith(t, srv, tokenOf(t, "ann", "", time.Minute, allow("closed:*", auth.Subscribe, auth.Publish)))
	for id, channel := range []string{"closed:a", "users:a", "read:closed:a"} {
		if got := outcome(c, fmt.Sprintf(`{"id":%d,"sub":{"ch":%q}}`, id+2, channel)); got != "subscribed" {
			t.Fatalf("%s: %s", channel, got)
		}
	}
	c.Want("synced", `{"ch":"read:closed:a"}`)
	c.Send(fmt.Sprintf(`{"id":9,"refresh":{"token":%q}}`, tokenOf(t, "ann", "", time.Minute, allow("closed:b", auth.Subscribe))))
	c.Want("unsubscribed", `{"ch":"closed:a","name":"forbidden"}`)
	c.Want("unsubscribed", `{"ch":"read:closed:a","name":"forbidden"}`)
	c.Want("refreshed", `{"id":9}`)
	for frame, want := range map[string]string{
		`{"id":10,"pub":{"ch":"closed:a","data":1}}`: "forbidden",
		`{"id":11,"sub":{"ch":"closed:a"}}`:          "forbidden",
		`{"id":12,"sub":{"ch":"closed:b"}}`:          "subscribed",
		`{"id":13,"unsub":{"ch":"users:a"}}`:         "unsubscribed",
	} {
		if got := outcome(c, frame); got != want {
			t.Errorf("%s: %s, want %s", frame, got, want)
		}
	}
	if got := outcome(c, fmt.Sprintf(`{"id":14,"refresh":{"token":%q}}`, tokenOf(t, "ben", "", time.Minute))); got != "unauthorized" {
		t.Errorf("a token of another user: %s", got)
	}
}

// Secrets that are planted in tokens are in no log and in no answer, whatever is wrong with them.
func TestTokensAreToldToNobody(t *testing.T) {
	var log lockedBuffer
	o := withTokens()
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	o.Tokens = append(o.Tokens, earshot.Issuer{Name: "away", Audience: "earshot", JWKS: away.URL})
	srv := testkit.Start(t, o)
	elsewhere, err := auth.Sign(earshot.Issuer{Name: "away", Secret: testIssuer.Secret}, earshot.Claims{User: "planted", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	good := tokenOf(t, "ann", "planted", time.Minute)
	for _, token := range []string{"planted", good[:len(good)-8] + "planted", tokenOf(t, "planted", "planted", -time.Minute), elsewhere} {
		c := testkit.Connect(t, srv.URL)
		c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, token))
		_, said := c.Next()
		_, byEvents := ask(t, "", "GET", srv.URL+"/live/sse/users:a?token="+token, "")
		_, byPost := ask(t, token, "POST", srv.URL+"/live/publish/users:a", "1")
		said += byEvents + byPost
		if strings.Contains(said, "planted") || strings.Contains(said, token) {
			t.Errorf("an answer tells what is in the token: %s", said)
		}
		if strings.Contains(log.String(), "planted") || strings.Contains(log.String(), token) {
			t.Errorf("the log tells what is in the token: %s", log.String())
		}
	}
	if !strings.Contains(log.String(), "a token cannot be checked now") {
		t.Errorf("the operator was not told that keys cannot be had: %s", log.String())
	}
}

// lockedBuffer is a bytes.Buffer for concurrent use.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
