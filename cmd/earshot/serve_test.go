package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/earshot/earshot/internal/testkit"
)

func TestServeSaysWhereItListensAndStopsOnASignal(t *testing.T) {
	s := startServer(t, nil, "serve", "--addr=127.0.0.1:0", "--insecure-open")
	response, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), "/live/websocket") {
		t.Errorf("got %q, %v", body, err)
	}
	stdout, code := s.stop(t)
	if len(stdout) > 0 || code != exitOK {
		t.Errorf("printed %q and exited with %d: %s", stdout, code, s.stderr)
	}
	if !strings.Contains(s.stderr.String(), "INSECURE") {
		t.Errorf("it did not warn: %s", s.stderr)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "earshot-data")); err != nil {
		t.Errorf("the default data folder: %v", err)
	}
}

func TestAStopTellsClientsToComeBack(t *testing.T) {
	s := startServer(t, nil, "serve", "--addr=127.0.0.1:0", "--insecure-open")
	c := testkit.Connect(t, s.url)
	c.Send(`{"id":1,"sub":{"ch":"log:a"}}`)
	c.Want("subscribed", `{"ch":"log:a"}`)
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.Want("bye", `{"name":"draining"}`)
	c.WantClose(4100)
	if err := s.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.stderr)
	}
}

func TestInsecureOpenNamespaces(t *testing.T) {
	s := startServer(t, nil, "serve", "--addr=127.0.0.1:0", "--insecure-open")
	c := testkit.Connect(t, s.url)
	for _, channel := range []string{"log:a", "live:a"} {
		c.Send(`{"id":1,"sub":{"ch":"` + channel + `"}}`)
		c.Want("subscribed", `{"ch":"`+channel+`"}`)
	}
	for _, channel := range []string{"map:a", "presence:live:a"} {
		c.Send(`{"id":1,"sub":{"ch":"` + channel + `"}}`)
		c.Want("subscribed", `{"ch":"`+channel+`"}`)
		c.Want("synced", `{"ch":"`+channel+`"}`)
	}
	c.Send(`{"id":2,"set":{"ch":"map:a","key":"k","data":1}}`)
	c.Want("published", `{"ch":"map:a","off":1,"durability":"fsync"}`)
	c.Want("pub", `{"ch":"map:a","key":"k","data":1}`)
	c.Send(`{"id":3,"sub":{"ch":"other:a"}}`)
	c.Want("error", `{"name":"bad_channel"}`)
}

func TestServeAppliesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "earshot.yaml")
	text := "addr: 127.0.0.1:0\nallow_anonymous: true\nnamespaces: {news: {kind: log, subscribe: anyone, publish: users}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, []string{"EARSHOT_CONFIG=" + file}, "serve")
	c := testkit.Connect(t, s.url)
	c.Send(`{"id":1,"sub":{"ch":"news:a"}}`)
	c.Want("subscribed", `{"ch":"news:a"}`)
	c.Send(`{"id":2,"pub":{"ch":"news:a","data":1}}`)
	c.Want("error", `{"name":"forbidden"}`)
	c.Send(`{"id":3,"history":{"ch":"news:a"}}`)
	c.Want("error", `{"name":"forbidden"}`)
}

func TestAnonymousClientsAreRefusedByDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "earshot.yaml")
	if err := os.WriteFile(file, []byte("namespaces: {news: {subscribe: anyone}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, nil, "serve", "--addr=127.0.0.1:0", "--config="+file)
	c := testkit.Connect(t, s.url)
	c.Send(`{"id":1,"sub":{"ch":"news:a"}}`)
	c.Want("error", `{"name":"unauthorized"}`)
}

func TestAddressInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, stderr, code := runProgram(t, nil, "serve", "--insecure-open", "--addr="+ln.Addr().String())
	if !strings.Contains(stderr, "address already in use; stop what listens there, or choose another address with --addr") || code != exitFailure {
		t.Errorf("got %q, exit code %d", stderr, code)
	}
}

// What the demo keeps must still be there after it was killed and started again, without any flag but the address.
func TestDemoKeepsWhatWasSaid(t *testing.T) {
	first := startServer(t, nil, "demo", "--addr=127.0.0.1:0")
	c := testkit.Connect(t, first.url)
	c.Send(`{"id":1,"pub":{"ch":"chat:lobby","data":"hello"}}`)
	c.Want("published", `{"off":1,"durability":"fsync"}`)
	first.Process.Kill()
	first.Wait()

	again := startServer(t, nil, "demo", "--addr=127.0.0.1:0", "--data="+filepath.Join(first.Dir, "earshot-demo"))
	c = testkit.Connect(t, again.url)
	c.Send(`{"id":1,"history":{"ch":"chat:lobby"}}`)
	page := c.Want("page", `{"complete":true}`)
	if pubs, _ := page["pubs"].([]any); len(pubs) != 1 || pubs[0].(map[string]any)["data"] != "hello" {
		t.Errorf("got %v", page)
	}
}

func TestHealthOnTheProgramsPort(t *testing.T) {
	s := startServer(t, []string{"EARSHOT_CLOSE_NOTICE=1m"}, "serve", "--addr=127.0.0.1:0", "--insecure-open")
	defer http.DefaultClient.CloseIdleConnections()
	status := func(path string) int {
		response, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	if health, ready := status("/health"), status("/ready"); health != http.StatusOK || ready != http.StatusOK {
		t.Errorf("health is %d, ready is %d", health, ready)
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it is not ready", func() bool { return status("/ready") == http.StatusServiceUnavailable })
	if health := status("/health"); health != http.StatusOK {
		t.Errorf("stopping, health is %d", health)
	}
}
