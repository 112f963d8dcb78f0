package earshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

func TestTalk(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	ann, ben := testkit.Connect(t, srv.URL), testkit.Connect(t, srv.URL)
	for _, c := range []*testkit.Client{ann, ben} {
		c.Send(`{"id":1,"sub":{"ch":"log:news"}}`)
		c.Want("subscribed", `{"id":1,"ch":"log:news","pos":"*"}`)
	}
	ann.Send(`{"id":2,"pub":{"ch":"log:news","data":{"n": 12345678901234567890}}}`)
	for _, c := range []*testkit.Client{ann, ben} {
		frame, text := c.Next()
		if frame["published"] != nil { // the answer and the publication come in either order
			frame, text = c.Next()
		}
		if !strings.Contains(text, `"data":{"n": 12345678901234567890}`) || frame["pub"] == nil {
			t.Errorf("got %s", text)
		}
	}
}

func TestPublishIsAnsweredOnceCommitted(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"pub":{"ch":"log:a","idem":"k","data":1}}`)
	first := c.Want("published", `{"id":1,"ch":"log:a","off":1,"pos":"*","durability":"fsync"}`)
	c.Send(`{"id":2,"pub":{"ch":"log:a","idem":"k","data":1}}`)
	c.Want("published", fmt.Sprintf(`{"id":2,"off":1,"dup":true,"pos":%q}`, first["pos"]))
	c.Send(`{"id":3,"pub":{"ch":"log:a","idem":"k","data":2}}`)
	c.Want("error", `{"id":3,"code":108,"name":"idem_reused"}`)
	c.Send(`{"id":4,"pub":{"ch":"pub:a","data":1}}`)
	c.Want("published", `{"id":4,"ch":"pub:a","durability":"none"}`)
}

func TestResume(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	for i := range 5 {
		publish(t, srv, "log:a", i)
	}
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"log:a","last":2}}`)
	c.Want("subscribed", `{"id":1}`)
	c.Want("pub", `{"data":3}`)
	at := c.Want("pub", `{"data":4}`)["pos"].(string)
	c.Close()
	publish(t, srv, "log:a", 5)

	c = testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"log:a","since":%q}}`, at))
	c.Want("subscribed", fmt.Sprintf(`{"id":1,"pos":%q}`, at))
	c.Want("pub", `{"data":5,"off":6}`)
	publish(t, srv, "log:a", 6)
	c.Want("pub", `{"data":6,"off":7}`)
}

// A position that can't be continued is answered by a reset, never by a part of what follows. It is row D4 of the faults.
func TestReset(t *testing.T) {
	kept := testkit.Open()
	short := kept["log"]
	short.History = earshot.History{Size: 3}
	kept["short"] = short
	srv := testkit.Start(t, earshot.Options{Namespaces: kept})
	first := publish(t, srv, "short:a", 0)
	for i := range 9 {
		publish(t, srv, "short:a", i+1)
	}
	elsewhere := publish(t, srv, "log:b", 0)

	for name, tc := range map[string]struct{ since, why string }{
		"evicted": {first.Position, "evicted"},
		"another": {elsewhere.Position, "epoch"},
		"garbage": {"garbage", "unknown"},
	} {
		c := testkit.Connect(t, srv.URL)
		c.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"short:a","since":%q,"last":2}}`, tc.since))
		c.Want("subscribed", `{"id":1}`)
		c.Want("reset", fmt.Sprintf(`{"why":%q,"pos":"*"}`, tc.why))
		c.Want("pub", `{"data":8,"off":9}`)
		c.Want("pub", `{"data":9,"off":10}`)
		t.Log(name)
	}
}

func TestUnretainedChannelTellsWhatWasMissed(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	keeper, c := testkit.Connect(t, srv.URL), testkit.Connect(t, srv.URL)
	keeper.Send(`{"id":1,"sub":{"ch":"pub:a"}}`)
	keeper.Want("subscribed", `{"id":1}`)
	c.Send(`{"id":1,"sub":{"ch":"pub:a"}}`)
	at := c.Want("subscribed", `{"id":1}`)["pos"].(string)
	c.Close()
	const all = 1_500
	for i := range all {
		publish(t, srv, "pub:a", i)
	}
	c = testkit.Connect(t, srv.URL)
	c.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"pub:a","since":%q}}`, at))
	c.Want("subscribed", `{"id":1}`)
	missed := c.Want("missed", `{"ch":"pub:a","pos":"*"}`)["count"].(float64)
	if missed < 1 || missed >= all {
		t.Fatalf("missed %v of %d", missed, all)
	}
	for i := int(missed); i < all; i++ {
		c.Want("pub", fmt.Sprintf(`{"data":%d,"off":%d}`, i, i+1))
	}
}

func TestWithoutEchoes(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"hello":{"sender":"0123456789abcdef"}}`)
	c.Want("welcome", `{"id":1,"session":"*","resume":"*"}`)
	c.Send(`{"id":2,"sub":{"ch":"log:a","echo":false}}`)
	c.Want("subscribed", `{"id":2}`)
	c.Send(`{"pub":{"ch":"log:a","data":"mine"}}`)
	c.Want("moved", `{"ch":"log:a","pos":"*"}`)
	publish(t, srv, "log:a", "theirs")
	c.Want("pub", `{"data":"theirs","off":2}`)
}

func TestHistoryPages(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	for i := range 5 {
		publish(t, srv, "log:a", i)
	}
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"history":{"ch":"log:a","limit":2}}`)
	page := c.Want("page", `{"id":1,"ch":"log:a","more":true,"complete":true}`)
	if got := offsets(page); got != "[4 5]" {
		t.Fatalf("newest page has %s", got)
	}
	before := page["pubs"].([]any)[0].(map[string]any)["pos"]
	c.Send(fmt.Sprintf(`{"id":2,"history":{"ch":"log:a","before":%q}}`, before))
	if page = c.Want("page", `{"id":2}`); offsets(page) != "[1 2 3]" || page["more"] != nil {
		t.Fatalf("the page before it is %v", page)
	}
	c.Send(`{"id":3,"history":{"ch":"pub:a"}}`)
	c.Want("error", `{"id":3,"name":"no_history"}`)
	c.Send(`{"id":4,"history":{"ch":"log:a","since":"garbage"}}`)
	c.Want("error", `{"id":4,"name":"bad_position"}`)
}

func TestDenied(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{Namespaces: map[string]earshot.Namespace{
		"closed": {Kind: earshot.Log},
		"users":  {Subscribe: earshot.Users, Publish: earshot.Users},
		"pub":    {Subscribe: earshot.Anyone},
		"live":   {Kind: earshot.Log, Subscribe: earshot.Anyone},
	}})
	c := testkit.Connect(t, srv.URL)
	for frame, name := range map[string]string{
		`{"id":1,"sub":{"ch":"closed:a"}}`:           "forbidden",
		`{"id":1,"pub":{"ch":"closed:a","data":1}}`:  "forbidden",
		`{"id":1,"history":{"ch":"closed:a"}}`:       "forbidden",
		`{"id":1,"history":{"ch":"users:a"}}`:        "forbidden",
		`{"id":1,"history":{"ch":"pub:a"}}`:          "no_history",
		`{"id":1,"sub":{"ch":"users:a"}}`:            "forbidden",
		`{"id":1,"pub":{"ch":"users:a","data":1}}`:   "forbidden",
		`{"id":1,"sub":{"ch":"live:a","last":1}}`:    "forbidden",
		`{"id":1,"sub":{"ch":"nowhere:a"}}`:          "bad_channel",
		`{"id":1,"sub":{"ch":"nocolon"}}`:            "bad_channel",
		`{"id":1,"unsub":{"ch":"live:a"}}`:           "not_subscribed",
		`{"id":1,"sub":{"ch":"live:a","sinse":"x"}}`: "bad_frame",
		`{"id":1,"what":{}}`:                         "bad_frame",
		`{"id":1,"pub":{"ch":"live:a","data":[1,]}}`: "bad_frame",
		`{"id":1,"refresh":{"token":"x"}} trailing`:  "bad_frame",
	} {
		c.Send(frame)
		c.Want("error", fmt.Sprintf(`{"id":1,"name":%q,"reason":"*"}`, name))
	}
	c.Send(`{"id":9,"sub":{"ch":"live:a"}}`)
	c.Want("subscribed", `{"id":9}`)
	c.Send(`{"id":10,"sub":{"ch":"live:a"}}`)
	c.Want("error", `{"id":10,"name":"already_subscribed"}`)
	c.Send(`{"id":11,"unsub":{"ch":"live:a"}}`)
	c.Want("unsubscribed", `{"id":11,"ch":"live:a"}`)
}

func TestTooManySubscriptions(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	for i := range 128 {
		c.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"log:%d"}}`, i))
		c.Want("subscribed", `{"id":1}`)
	}
	c.Send(`{"id":2,"sub":{"ch":"log:one-more"}}`)
	c.Want("error", `{"id":2,"name":"too_many_channels"}`)
}

func TestSessionGoesOn(t *testing.T) {
	var seen []earshot.Session
	srv := testkit.Start(t, earshot.Options{
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			if r.Token == "" {
				return earshot.Identity{}, earshot.Unauthorized("no token")
			}
			return earshot.Identity{User: r.Token, Data: "attached"}, nil
		},
		OnSubscribe: func(_ context.Context, s earshot.Session, _ string) error {
			seen = append(seen, s)
			return nil
		},
	})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	c.Want("error", `{"id":1,"name":"unauthorized","reason":"no token"}`)
	c.Send(`{"id":2,"hello":{"token":"ann"}}`)
	first := c.Want("welcome", `{"id":2,"user":"ann"}`)
	c.Send(`{"id":3,"hello":{"token":"ann"}}`)
	c.Want("error", `{"id":3,"name":"hello_twice"}`)
	c.Send(`{"id":4,"sub":{"ch":"log:a"}}`)
	c.Want("subscribed", `{"id":4}`)
	seen[0].SetData("changed")

	again := testkit.Connect(t, srv.URL)
	again.Send(fmt.Sprintf(`{"id":1,"hello":{"token":"ann","resume":%q}}`, first["resume"]))
	again.Want("welcome", fmt.Sprintf(`{"id":1,"session":%q,"resumed":true}`, first["session"]))
	c.Want("bye", `{"code":4201,"name":"moved"}`)
	c.WantClose(4201)
	again.Send(`{"id":2,"sub":{"ch":"log:a"}}`)
	again.Want("subscribed", `{"id":2}`)
	if seen[1] != seen[0] || seen[1].Data() != "changed" {
		t.Errorf("the session that was resumed has data %v", seen[1].Data())
	}

	stranger := testkit.Connect(t, srv.URL)
	stranger.Send(fmt.Sprintf(`{"id":1,"hello":{"token":"mallory","resume":%q}}`, first["resume"]))
	if w := stranger.Want("welcome", `{"id":1,"user":"mallory"}`); w["resumed"] != nil || w["session"] == first["session"] {
		t.Errorf("another user went on with the session: %v", w)
	}

	srv.Sessions("ann")[0].Disconnect("enough")
	again.Want("bye", `{"code":4002,"name":"disconnected","reason":"enough"}`)
	again.WantClose(4002)
	if left := srv.Sessions("ann"); len(left) != 0 {
		t.Errorf("%d sessions after the disconnect", len(left))
	}
}

func TestPublishHook(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{
		OnPublish: func(_ context.Context, _ earshot.Session, p *earshot.PublishRequest) error {
			switch string(p.Data.Body) {
			case `"spam"`:
				return earshot.Reject("no spam here")
			case `"boom"`:
				return errors.New("secret of the backend")
			}
			p.Tags = map[string]string{"checked": "yes"}
			return nil
		},
	})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"pub":{"ch":"log:a","data":"spam"}}`)
	c.Want("error", `{"id":1,"name":"rejected","reason":"no spam here"}`)
	c.Send(`{"id":2,"pub":{"ch":"log:a","data":"boom"}}`)
	if e := c.Want("error", `{"id":2,"name":"internal"}`); strings.Contains(fmt.Sprint(e), "secret") {
		t.Errorf("an unknown error left the process: %v", e)
	}
	c.Send(`{"id":3,"pub":{"ch":"log:a","data":"fine"}}`)
	c.Want("published", `{"id":3}`)
	page, err := srv.History(t.Context(), "log:a", earshot.HistoryRequest{})
	if err != nil || len(page.Publications) != 1 || page.Publications[0].Tags["checked"] != "yes" {
		t.Errorf("history is %v, %v", page, err)
	}
}

func TestDrain(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	c.Want("subscribed", `{"id":1}`)
	closed := make(chan error, 1)
	go func() { closed <- srv.Close(context.Background()) }()
	c.Want("bye", `{"code":4100,"name":"draining"}`)
	c.WantClose(4100)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := srv.Publish(t.Context(), "log:a", earshot.JSON(1)); err == nil {
		t.Error("publishes after it was closed")
	}
}

func publish(t *testing.T, srv *testkit.Server, channel string, v any) earshot.Receipt {
	t.Helper()
	r, err := srv.Publish(t.Context(), channel, earshot.JSON(v))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func offsets(page map[string]any) string {
	var all []any
	for _, p := range page["pubs"].([]any) {
		all = append(all, p.(map[string]any)["off"])
	}
	return fmt.Sprint(all)
}
