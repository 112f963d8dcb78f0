package earshot_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// startRedis runs a redis-server of the test's own and returns its URL.
func startRedis(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: apt-get install redis-server")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	cmd := exec.Command("redis-server", "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	testkit.Eventually(t, "Redis answers", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return "redis://" + address
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
