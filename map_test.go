package earshot_test

import (
	"fmt"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// withMaps are namespaces in which everyone may do everything, maps among them.
func withMaps() map[string]earshot.Namespace {
	all := testkit.Open()
	all["map"] = earshot.Namespace{
		Kind: earshot.Map, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone, MaxKeys: 5,
	}
	chat := all["log"]
	chat.Presence = earshot.Anyone
	all["chat"] = chat
	return all
}

func TestMap(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{Namespaces: withMaps()})
	c, watcher := testkit.Connect(t, srv.URL), testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"set":{"ch":"map:a","key":"x","data":1}}`)
	c.Want("published", `{"id":1,"ch":"map:a","off":1}`)
	c.Send(`{"id":2,"set":{"ch":"map:a","key":"y","data":2}}`)
	c.Want("published", `{"id":2,"off":2}`)
	c.Send(`{"id":3,"set":{"ch":"map:a","key":"x","data":3,"if":1}}`)
	c.Want("published", `{"id":3,"off":3}`)
	c.Send(`{"id":4,"set":{"ch":"map:a","key":"x","data":4,"if":1}}`)
	c.Want("error", `{"id":4,"name":"version_mismatch"}`)

	watcher.Send(`{"id":1,"sub":{"ch":"map:a"}}`)
	watcher.Want("subscribed", `{"id":1,"ch":"map:a"}`)
	watcher.Want("pub", `{"ch":"map:a","key":"y","off":2,"data":2}`)
	at := watcher.Want("pub", `{"ch":"map:a","key":"x","off":3,"data":3}`)["pos"]
	watcher.Want("synced", fmt.Sprintf(`{"ch":"map:a","pos":%q}`, at))
	c.Send(`{"id":5,"del":{"ch":"map:a","key":"y"}}`)
	c.Want("published", `{"id":5,"off":4}`)
	watcher.Want("pub", `{"ch":"map:a","key":"y","off":4,"gone":true}`)

	c.Send(`{"id":6,"history":{"ch":"map:a"}}`)
	c.Want("page", `{"id":6,"keys":1,"complete":true,"pos":"*"}`)
	c.Send(fmt.Sprintf(`{"id":7,"history":{"ch":"map:a","since":%q}}`, at))
	c.Want("page", `{"id":7,"keys":1,"complete":true}`)

	again := testkit.Connect(t, srv.URL)
	again.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"map:a","since":%q}}`, at))
	again.Want("subscribed", `{"id":1}`)
	again.Want("pub", `{"key":"y","off":4,"gone":true}`)
	again.Want("synced", `{"ch":"map:a","pos":"*"}`)
	lost := testkit.Connect(t, srv.URL)
	lost.Send(`{"id":1,"sub":{"ch":"map:a","since":"garbage"}}`)
	lost.Want("subscribed", `{"id":1}`)
	lost.Want("reset", `{"why":"unknown"}`)
	lost.Want("pub", `{"key":"x","off":3}`)
	lost.Want("synced", `{"ch":"map:a","pos":"*"}`)
}

func TestMapOrNot(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{Namespaces: withMaps()})
	c := testkit.Connect(t, srv.URL)
	for _, frame := range []string{
		`{"id":1,"set":{"ch":"log:a","key":"x","data":1}}`,
		`{"id":1,"del":{"ch":"pub:a","key":"x"}}`,
		`{"id":1,"pub":{"ch":"map:a","data":1}}`,
	} {
		c.Send(frame)
		c.Want("error", `{"id":1,"name":"wrong_kind"}`)
	}
	for i := range 5 {
		c.Send(fmt.Sprintf(`{"id":2,"set":{"ch":"map:full","key":"%d","data":1}}`, i))
		c.Want("published", `{"id":2}`)
	}
	c.Send(`{"id":3,"set":{"ch":"map:full","key":"one more","data":1}}`)
	c.Want("error", `{"id":3,"name":"too_many_keys"}`)
	for _, frame := range []string{
		`{"id":4,"set":{"ch":"presence:chat:a","key":"x","data":1}}`,
		`{"id":4,"join":{"ch":"log:a"}}`,
		`{"id":4,"sub":{"ch":"presence:log:a"}}`,
	} {
		c.Send(frame)
		c.Want("error", `{"id":4,"name":"forbidden"}`)
	}
}

func TestPresence(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{Namespaces: withMaps()})
	watcher, ann := testkit.Connect(t, srv.URL), testkit.Connect(t, srv.URL)
	watcher.Send(`{"id":1,"sub":{"ch":"presence:chat:a"}}`)
	watcher.Want("subscribed", `{"id":1}`)
	watcher.Want("synced", `{"ch":"presence:chat:a","pos":"*"}`)
	ann.Send(`{"id":1,"hello":{}}`)
	welcome := ann.Want("welcome", `{"id":1}`)
	joined := func() map[string]any {
		t.Helper()
		p := watcher.Want("pub", fmt.Sprintf(`{"ch":"presence:chat:a","key":%q}`, welcome["session"]))
		data, _ := p["data"].(map[string]any)
		return data
	}
	ann.Send(`{"id":2,"join":{"ch":"chat:a","data":{"mood":"fine"}}}`)
	ann.Want("published", `{"id":2,"ch":"presence:chat:a","off":1}`)
	if data := joined(); data["user"] != "" || fmt.Sprint(data["state"]) != "map[mood:fine]" {
		t.Fatalf("joined with %v", data)
	}
	// A reconnect within the grace is no leave and join.
	ann.Close()
	ann = testkit.Connect(t, srv.URL)
	ann.Send(fmt.Sprintf(`{"id":1,"hello":{"resume":%q}}`, welcome["resume"]))
	ann.Want("welcome", `{"id":1,"resumed":true}`)
	ann.Send(`{"id":2,"join":{"ch":"chat:a","data":{"mood":"fine"}}}`)
	ann.Want("published", `{"id":2,"dup":true}`)
	ann.Send(`{"id":3,"join":{"ch":"chat:a","data":{"mood":"better"}}}`)
	ann.Want("published", `{"id":3,"off":2}`)
	if data := joined(); fmt.Sprint(data["state"]) != "map[mood:better]" {
		t.Fatalf("is now %v", data)
	}
	ann.Send(`{"id":4,"leave":{"ch":"chat:a"}}`)
	ann.Want("published", `{"id":4,"off":3}`)
	watcher.Want("pub", `{"off":3,"gone":true}`)

	// A session that the application ends takes its keys along.
	ann.Send(`{"id":5,"join":{"ch":"chat:a"}}`)
	ann.Want("published", `{"id":5,"off":4}`)
	watcher.Want("pub", `{"off":4}`)
	for _, s := range srv.Sessions("") {
		if s.ID() == welcome["session"] {
			s.Disconnect("enough")
		}
	}
	watcher.Want("pub", `{"off":5,"gone":true}`)
}
