package earshot_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// startRedis runs a redis-server of the test's own and returns its URL.
func startRedis(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	runRedis(t, address)
	return "redis://" + address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// runRedis runs a redis-server until kill is called or the test ends.
func runRedis(t *testing.T, address string) (kill func()) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: apt-get install redis-server")
	}
	host, port, _ := net.SplitHostPort(address)
	cmd := exec.Command("redis-server", "--port", port, "--bind", host, "--dir", t.TempDir(), "--save", "")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Cleanup(kill)
	testkit.Eventually(t, "Redis answers", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return kill
}

// Two servers on one Redis: what one commits, the clients of both see, in one order; and a client that was on one resumes
// on the other.
func TestTwoServersOnRedis(t *testing.T) {
	url := startRedis(t)
	first, second := testkit.Start(t, earshot.Options{Engine: url}), testkit.Start(t, earshot.Options{Engine: url})
	ann, ben := testkit.Connect(t, first.URL), testkit.Connect(t, second.URL)
	for _, c := range []*testkit.Client{ann, ben} {
		c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
		c.Want("subscribed", `{"id":1}`)
	}
	const each = 50
	for i := range each {
		publish(t, first, "log:a", i)
		publish(t, second, "log:a", i)
	}
	var annSaw, benSaw []any
	var at any
	for i := range 2 * each {
		a := ann.Want("pub", fmt.Sprintf(`{"off":%d}`, i+1))
		annSaw = append(annSaw, a["pos"])
		benSaw = append(benSaw, ben.Want("pub", fmt.Sprintf(`{"off":%d}`, i+1))["pos"])
		if i == each {
			at = a["pos"]
		}
	}
	if fmt.Sprint(annSaw) != fmt.Sprint(benSaw) {
		t.Errorf("two orders: %v and %v", annSaw, benSaw)
	}

	again := testkit.Connect(t, second.URL)
	again.Send(fmt.Sprintf(`{"id":1,"sub":{"ch":"log:a","since":%q}}`, at))
	again.Want("subscribed", `{"id":1}`)
	for i := each + 1; i < 2*each; i++ {
		again.Want("pub", fmt.Sprintf(`{"off":%d}`, i+1))
	}

	// A publish is repeated through the other server when the answer was lost.
	again.Send(`{"id":2,"pub":{"ch":"log:once","idem":"k","data":1}}`)
	one := again.Want("published", `{"id":2,"off":1}`)
	ann.Send(`{"id":3,"pub":{"ch":"log:once","idem":"k","data":1}}`)
	ann.Want("published", fmt.Sprintf(`{"id":3,"off":1,"dup":true,"pos":%q}`, one["pos"]))
}

// Readers of a Redis that comes back empty are told so though nobody publishes.
func TestReadersAreResetWhenRedisComesBackEmpty(t *testing.T) {
	address := freeAddress(t)
	kill := runRedis(t, address)
	srv := testkit.Start(t, earshot.Options{Engine: "redis://" + address})
	c := testkit.Connect(t, srv.URL)
	for _, channel := range []string{"log:a", "pub:a"} {
		c.Send(`{"id":1,"sub":{"ch":"` + channel + `"}}`)
		c.Want("subscribed", `{"id":1}`)
		publish(t, srv, channel, 1)
		c.Want("pub", `{"ch":"`+channel+`"}`)
	}
	kill()
	runRedis(t, address)
	told := map[any]any{}
	for range 2 {
		r := c.Want("reset", `{}`)
		told[r["ch"]] = r["why"]
	}
	if told["log:a"] != "epoch" || told["pub:a"] != "epoch" {
		t.Errorf("told of resets: %v", told)
	}
	publish(t, srv, "log:a", 2)
	c.Want("pub", `{"ch":"log:a","off":1,"data":2}`)
}

// What one server is told about sessions is done on all of them, and a session can be called from any.
func TestOrdersReachEveryServer(t *testing.T) {
	url := startRedis(t)
	var denied atomic.Bool
	options := earshot.Options{
		Engine: url,
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token}, nil
		},
		OnSubscribe: func(_ context.Context, _ earshot.Session, channel string) error {
			if denied.Load() && channel == "log:secret" {
				return earshot.Reject("no longer")
			}
			return nil
		},
	}
	first, second := testkit.Start(t, options), testkit.Start(t, options)
	ann := testkit.Connect(t, second.URL)
	ann.Send(`{"id":1,"hello":{"token":"ann"}}`)
	id := ann.Want("welcome", `{"id":1,"user":"ann"}`)["session"].(string)
	for _, channel := range []string{"log:a", "log:b", "log:secret"} {
		ann.Send(`{"id":2,"sub":{"ch":"` + channel + `"}}`)
		ann.Want("subscribed", `{"id":2}`)
	}
	who := earshot.Whom{User: "ann"}
	if err := first.Unsubscribe(t.Context(), who, "log:a", "moved on"); err != nil {
		t.Fatal(err)
	}
	ann.Want("unsubscribed", `{"ch":"log:a","reason":"moved on"}`)
	denied.Store(true)
	if err := first.Recheck(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	ann.Want("unsubscribed", `{"ch":"log:secret","name":"rejected","reason":"no longer"}`)

	answered := make(chan string, 1)
	go func() {
		data, err := first.Call(context.Background(), id, "ring", earshot.JSON("hello").Data)
		answered <- fmt.Sprintf("%s, %v", data.Body, err)
	}()
	ann.Want("call", `{"method":"ring","data":"hello"}`)
	ann.Send(`{"id":1,"result":{"data":"here"}}`)
	if got := <-answered; got != `"here", <nil>` {
		t.Errorf("the call is answered %s", got)
	}
	_, err := first.Call(t.Context(), "nobody", "ring", earshot.Data{})
	var refusal *wire.ProtocolError
	if !errors.As(err, &refusal) || refusal.Code != wire.CodeNoSession {
		t.Errorf("a call of nobody: %v", err)
	}

	if err := first.Disconnect(t.Context(), earshot.Whom{Session: id}, "enough"); err != nil {
		t.Fatal(err)
	}
	ann.Want("bye", `{"name":"disconnected","reason":"enough"}`)
	ann.WantClose(4002)
}
