package earshot_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// mover is a device of a user that moves the user's read cursor of chat:a.
type mover struct {
	*testkit.Client
	user string
}

func connectMover(t *testing.T, srv *testkit.Server, user string) mover {
	t.Helper()
	return mover{connectAs(t, srv, user), user}
}

// move sets the cursor to a place.
func (m mover) move(to earshot.Receipt) {
	m.Send(fmt.Sprintf(`{"id":2,"set":{"ch":"read:chat:a","key":%q,"idem":"always the same","data":%s}}`, m.user, cursorOf(to)))
}

func cursorOf(to earshot.Receipt) string {
	return fmt.Sprintf(`{"off":%d,"pos":%q}`, to.Offset, to.Position)
}

// say publishes n messages to a channel and returns their receipts: that of offset o is at o-1.
func say(t *testing.T, srv *testkit.Server, channel string, n int) (said []earshot.Receipt) {
	t.Helper()
	for i := range n {
		said = append(said, publish(t, srv, channel, i))
	}
	return said
}

// A cursor only goes up, whichever device moves it, and a move that changes nothing is answered with the version there is.
func TestCursorOnlyGoesUp(t *testing.T) {
	engines(t, func(t *testing.T, o earshot.Options) {
		srv := testkit.Start(t, o)
		at := say(t, srv, "chat:a", 3)
		phone, laptop, ben := connectMover(t, srv, "ann"), connectMover(t, srv, "ann"), connectMover(t, srv, "ben")
		phone.move(at[1])
		phone.Want("published", `{"id":2,"ch":"read:chat:a","off":1,"pos":"*","durability":"*"}`)
		for _, lower := range []int{0, 1} {
			laptop.move(at[lower])
			laptop.Want("published", `{"id":2,"off":1,"dup":true,"pos":"*"}`)
		}
		ben.move(at[0])
		ben.Want("published", `{"id":2,"off":2}`)
		laptop.move(at[2])
		laptop.Want("published", `{"id":2,"off":3}`)

		ben.Send(`{"id":3,"sub":{"ch":"read:chat:a"}}`)
		ben.Want("subscribed", `{"id":3}`)
		for _, want := range []string{
			`{"key":"ben","user":"ben","off":2,"data":{"off":1,"pos":"` + at[0].Position + `"}}`,
			`{"key":"ann","user":"ann","off":3,"data":{"off":3,"pos":"` + at[2].Position + `"}}`,
		} {
			ben.Want("pub", want)
		}
		ben.Want("synced", `{"ch":"read:chat:a"}`)
	})
}

// Devices of one user on two servers move the cursor at the same time, each in an order of its own: it never goes back, and
// ends at the furthest.
func TestCursorThroughTwoServers(t *testing.T) {
	const moves = 40
	o := withInboxes()
	o.Engine = startRedis(t)
	first, second := testkit.Start(t, o), testkit.Start(t, o)
	at := say(t, first, "chat:a", moves)
	watcher := connectAs(t, first, "ben")
	watcher.Send(`{"id":2,"sub":{"ch":"read:chat:a"}}`)
	watcher.Want("subscribed", `{"id":2}`)
	watcher.Want("synced", `{}`)
	var moving sync.WaitGroup
	for i, srv := range []*testkit.Server{first, second, second} {
		m := connectMover(t, srv, "ann")
		moving.Go(func() {
			for n := range moves {
				m.move(at[(n*(2*i+7)+i)%moves]) // seven, nine and eleven have no factor in common with forty
				if answer, text := m.Next(); answer["published"] == nil {
					t.Errorf("answered %s", text)
				}
			}
		})
	}
	for offset := 0.0; offset < moves; {
		p := watcher.Want("pub", `{"key":"ann"}`)
		next := p["data"].(map[string]any)["off"].(float64)
		if next <= offset {
			t.Errorf("the cursor went from %v to %v", offset, next)
		}
		offset = next
	}
	moving.Wait()
}

func TestWhatIsNoCursor(t *testing.T) {
	srv := testkit.Start(t, withInboxes())
	at, elsewhere := say(t, srv, "chat:a", 2), say(t, srv, "chat:b", 3)
	ann := connectAs(t, srv, "ann")
	good := `"data":` + cursorOf(at[0])
	for fields, want := range map[string]string{
		`"data":1`:                          "bad_frame",
		`"data":null`:                       "bad_frame",
		`"b64":"AA=="`:                      "bad_frame",
		`"data":{"off":1}`:                  "bad_frame",
		good + `,"if":0`:                    "bad_frame",
		good + `,"ttl_ms":1000`:             "bad_frame",
		good + `,"own":true`:                "bad_frame",
		`"data":{"off":1,"pos":"nonsense"}`: "bad_position",
		`"data":{"off":2,"pos":"` + at[0].Position + `"}`:        "bad_position",
		`"data":{"off":3,"pos":"` + elsewhere[2].Position + `"}`: "bad_position",
	} {
		if got := outcome(ann, `{"id":2,"set":{"ch":"read:chat:a","key":"ann",`+fields+`}}`); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	if keys, err := srv.ReadMap(t.Context(), "read:chat:a"); err != nil || len(keys) != 0 {
		t.Errorf("the map has %v, %v", keys, err)
	}
	if got := outcome(ann, `{"id":2,"set":{"ch":"read:chat:a","key":"ann",`+good+`}}`); got != "published" {
		t.Errorf("a cursor: %s", got)
	}
}

// What retention dropped may still be what was read last.
func TestCursorOfWhatIsNoLongerKept(t *testing.T) {
	o := withInboxes()
	chat := o.Namespaces["chat"]
	chat.History = earshot.History{Size: 2}
	o.Namespaces["chat"] = chat
	srv := testkit.Start(t, o)
	at := say(t, srv, "chat:a", 9)
	ann := connectMover(t, srv, "ann")
	ann.move(at[0])
	ann.Want("published", `{"off":1}`)
	ann.move(at[8])
	ann.Want("published", `{"off":2}`)
}

// Once the log began anew, its first publications are further than the last of the old one.
func TestCursorOfALogThatBeganAnew(t *testing.T) {
	o := withInboxes()
	o.Engine = startRedis(t)
	srv := testkit.Start(t, o)
	old := say(t, srv, "chat:a", 5)
	ann := connectMover(t, srv, "ann")
	ann.move(old[4])
	ann.Want("published", `{"off":1}`)

	forget(t, o.Engine, "chat:a")
	now := say(t, srv, "chat:a", 2)
	ann.move(old[3])
	ann.Want("published", `{"off":1,"dup":true}`)
	ann.move(now[1])
	if p := ann.Want("published", `{"off":2}`); p["dup"] != nil {
		t.Error("a cursor of the old log was kept")
	}
	ann.move(old[4])
	ann.Want("error", `{"name":"bad_position"}`)
}

// forget deletes what Redis has of a channel.
func forget(t *testing.T, url, channel string) {
	t.Helper()
	cli := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-u", url}, args...)...).Output()
		if err != nil {
			t.Fatalf("redis-cli %v: %v", args, err)
		}
		return string(out)
	}
	keys := strings.Fields(cli("--scan", "--pattern", "*{"+channel+"}*"))
	if len(keys) == 0 {
		t.Fatalf("Redis has nothing of %q", channel)
	}
	cli(append([]string{"DEL"}, keys...)...)
}

// The application is asked about the channel itself when somebody reads or moves its cursors.
func TestApplicationDecidesAboutCursors(t *testing.T) {
	o := withInboxes()
	asked := make(chan string, 10)
	o.OnSubscribe = func(_ context.Context, s earshot.Session, channel string) error {
		asked <- s.User() + " " + channel
		if s.User() == "cid" {
			return earshot.Reject("not you")
		}
		return nil
	}
	o.OnSet = func(_ context.Context, s earshot.Session, c *earshot.SetRequest) error {
		if s.User() == "ben" {
			return earshot.Reject("nor you, " + c.Key)
		}
		return nil
	}
	srv := testkit.Start(t, o)
	at := say(t, srv, "chat:a", 1)[0]
	for user, want := range map[string][2]string{
		"ann": {"subscribed", "published"}, "ben": {"subscribed", "rejected"}, "cid": {"rejected", "rejected"},
	} {
		m := connectMover(t, srv, user)
		got := outcome(m.Client, `{"id":3,"sub":{"ch":"read:chat:a"}}`)
		if got != want[0] {
			t.Errorf("%s subscribes: %s, want %s", user, got, want[0])
		}
		frame := fmt.Sprintf(`{"id":4,"set":{"ch":"read:chat:a","key":%q,"data":%s}}`, user, cursorOf(at))
		if got := outcome(m.Client, frame); got != want[1] {
			t.Errorf("%s moves: %s, want %s", user, got, want[1])
		}
		for range 2 {
			if question := <-asked; question != user+" chat:a" {
				t.Errorf("asked about %q", question)
			}
		}
	}
}
