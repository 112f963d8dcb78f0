package earshot_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// withInboxes are namespaces of inboxes and of a log with read cursors; a client's token is its user.
func withInboxes() earshot.Options {
	return earshot.Options{
		Namespaces: map[string]earshot.Namespace{
			"inbox":  {Kind: earshot.Inbox, Publish: earshot.Users},
			"notice": {Kind: earshot.Inbox},
			"chat": {
				Kind: earshot.Log, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone,
				ReadCursors: earshot.Users,
			},
			"log": {Kind: earshot.Log, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone},
		},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token}, nil
		},
	}
}

// connectAs opens a session of a user; empty for an anonymous one.
func connectAs(t *testing.T, srv *testkit.Server, user string) *testkit.Client {
	t.Helper()
	c := testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"hello":{"token":%q}}`, user))
	c.Want("welcome", `{"id":1}`)
	return c
}

// engines runs a test on the embedded engine and on Redis.
func engines(t *testing.T, test func(t *testing.T, o earshot.Options)) {
	t.Run("local", func(t *testing.T) { test(t, withInboxes()) })
	t.Run("redis", func(t *testing.T) {
		o := withInboxes()
		o.Engine = startRedis(t)
		test(t, o)
	})
}

// outcome does what a frame asks for and returns the kind of the answer, or the name of the error.
func outcome(c *testkit.Client, frame string) string {
	c.Send(frame)
	for {
		answer, _ := c.Next()
		if answer["id"] == nil {
			continue // what the channel delivers
		}
		if e, failed := answer["error"].(map[string]any); failed {
			return e["name"].(string)
		}
		for kind := range answer {
			if kind != "id" {
				return kind
			}
		}
	}
}

// Who may do what with the inbox of ann, with what the server alone publishes for her, and with read cursors.
func TestWhoMayUseInboxesAndCursors(t *testing.T) {
	engines(t, testWhoMayUseInboxesAndCursors)
}

func testWhoMayUseInboxesAndCursors(t *testing.T, o earshot.Options) {
	srv := testkit.Start(t, o)
	cursor := func(channel string) string {
		r := publish(t, srv, channel, "hello")
		return fmt.Sprintf(`{"off":%d,"pos":%q}`, r.Offset, r.Position)
	}
	inInbox, inChat, inLog := cursor("inbox:ann"), cursor("chat:a"), cursor("log:a")
	cursor("notice:ann")

	const no, ok = "forbidden", "published"
	users := []string{"ann", "ben", ""}
	for _, tc := range []struct {
		frame string
		want  [3]string // for each of the users
	}{
		{`"sub":{"ch":"inbox:ann"}`, [3]string{"subscribed", no, no}},
		{`"sub":{"ch":"inbox:ann","last":1}`, [3]string{"subscribed", no, no}},
		{`"history":{"ch":"inbox:ann"}`, [3]string{"page", no, no}},
		{`"pub":{"ch":"inbox:ann","data":1}`, [3]string{ok, ok, no}},
		{`"join":{"ch":"inbox:ann"}`, [3]string{no, no, no}},
		{`"sub":{"ch":"presence:inbox:ann"}`, [3]string{no, no, no}},
		{`"set":{"ch":"inbox:ann","key":"ann","data":1}`, [3]string{"wrong_kind", "wrong_kind", no}},
		{`"sub":{"ch":"inbox:"}`, [3]string{"bad_channel", "bad_channel", "bad_channel"}},
		{`"sub":{"ch":"inbox:ann:x"}`, [3]string{no, no, no}},
		{`"sub":{"ch":"inbox:Ann"}`, [3]string{no, no, no}},
		{`"sub":{"ch":"notice:ann"}`, [3]string{"subscribed", no, no}},
		{`"pub":{"ch":"notice:ann","data":1}`, [3]string{no, no, no}},

		{`"sub":{"ch":"read:inbox:ann"}`, [3]string{"subscribed", no, no}},
		{`"history":{"ch":"read:inbox:ann"}`, [3]string{"page", no, no}},
		{`"set":{"ch":"read:inbox:ann","key":"ann","data":` + inInbox + `}`, [3]string{ok, no, no}},
		{`"set":{"ch":"read:inbox:ann","key":"ben","data":` + inInbox + `}`, [3]string{no, no, no}},
		{`"set":{"ch":"read:inbox:ann","key":"ann","data":` + inChat + `}`, [3]string{"bad_position", no, no}},
		{`"del":{"ch":"read:inbox:ann","key":"ann"}`, [3]string{no, no, no}},
		{`"pub":{"ch":"read:inbox:ann","data":1}`, [3]string{"wrong_kind", no, no}},

		{`"sub":{"ch":"read:chat:a"}`, [3]string{"subscribed", "subscribed", "subscribed"}},
		{`"history":{"ch":"read:chat:a"}`, [3]string{"page", "page", "page"}},
		{`"set":{"ch":"read:chat:a","key":"ann","data":` + inChat + `}`, [3]string{ok, no, no}},
		{`"set":{"ch":"read:chat:a","key":"ben","data":` + inChat + `}`, [3]string{no, ok, no}},
		{`"set":{"ch":"read:chat:b","key":"ann","data":` + inChat + `}`, [3]string{"bad_position", no, no}},
		{`"del":{"ch":"read:chat:a","key":"ann"}`, [3]string{no, no, no}},

		{`"sub":{"ch":"read:log:a"}`, [3]string{no, no, no}},
		{`"history":{"ch":"read:log:a"}`, [3]string{no, no, no}},
		{`"set":{"ch":"read:log:a","key":"ann","data":` + inLog + `}`, [3]string{no, no, no}},
		{`"sub":{"ch":"read:nowhere:a"}`, [3]string{"bad_channel", "bad_channel", "bad_channel"}},
		{`"sub":{"ch":"read:read:chat:a"}`, [3]string{no, no, no}},
		{`"sub":{"ch":"read:presence:chat:a"}`, [3]string{no, no, no}},
		{`"sub":{"ch":"presence:read:chat:a"}`, [3]string{no, no, no}},
	} {
		for i, user := range users {
			c := connectAs(t, srv, user)
			if got := outcome(c, `{"id":2,`+tc.frame+`}`); got != tc.want[i] {
				t.Errorf("%s by %q: %s, want %s", tc.frame, user, got, tc.want[i])
			}
			c.Close()
		}
	}
}

// The server writes who sent a message, and its application may do everything.
func TestInboxOfTheServer(t *testing.T) {
	engines(t, func(t *testing.T, o earshot.Options) {
		srv, ctx := testkit.Start(t, o), t.Context()
		ann, ben := connectAs(t, srv, "ann"), connectAs(t, srv, "ben")
		ann.Send(`{"id":2,"sub":{"ch":"inbox:ann"}}`)
		ann.Want("subscribed", `{"id":2}`)
		ben.Send(`{"id":2,"pub":{"ch":"inbox:ann","idem":"k","data":"from ben"}}`)
		ben.Want("published", `{"id":2,"off":1}`)
		ann.Want("pub", `{"ch":"inbox:ann","off":1,"user":"ben","data":"from ben"}`)
		ben.Send(`{"id":3,"pub":{"ch":"inbox:ann","idem":"k","data":"from ben"}}`)
		ben.Want("published", `{"id":3,"off":1,"dup":true}`)
		publish(t, srv, "inbox:ann", "from the server")
		if p := ann.Want("pub", `{"off":2,"data":"from the server"}`); p["user"] != nil {
			t.Errorf("the server's message is of %v", p["user"])
		}

		page, err := srv.History(ctx, "inbox:ann", earshot.HistoryRequest{})
		if err != nil || len(page.Publications) != 2 {
			t.Errorf("the server reads %+v, %v", page, err)
		}
		if _, err := srv.Set(ctx, "read:inbox:ann", "anybody", earshot.JSON("anything"), earshot.SetOptions{}); err != nil {
			t.Fatal(err)
		}
		keys, err := srv.ReadMap(ctx, "read:inbox:ann")
		if err != nil || string(keys["anybody"].Data.Body) != `"anything"` {
			t.Errorf("the map has %v, %v", keys, err)
		}
		if _, err := srv.Delete(ctx, "read:inbox:ann", "anybody", earshot.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// Those who know no frames are asked who they are, too.
func TestInboxOverHTTP(t *testing.T) {
	srv := testkit.Start(t, withInboxes())
	publish(t, srv, "inbox:ann", "hello")
	for _, query := range []string{"", "&token=ben", "&token=Ann"} {
		for _, channel := range []string{"inbox:ann", "read:inbox:ann"} {
			status, answer := request(t, http.MethodGet, srv.URL+"/live/sse/"+channel+"?last=1"+query, nil, "")
			if status == http.StatusOK || !strings.Contains(answer, "forbidden") {
				t.Errorf("%s with %q: %d %s", channel, query, status, answer)
			}
		}
	}
	events := testkit.Events(t, srv.URL+"/live/sse/inbox:ann?last=1&token=ann", "")
	events.Want("subscribed", `{"ch":"inbox:ann"}`)
	events.Want("", `{"off":1,"data":"hello"}`)
	if _, text := ask(t, "ben", http.MethodPost, srv.URL+"/live/publish/inbox:ann", `"from ben"`); !strings.Contains(text, `"off":2,`) {
		t.Errorf("publish: %s", text)
	}
	events.Want("", `{"off":2,"user":"ben"}`)
}
