package proxies

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
)

const (
	// silence is longer than the minute after which proxies give up a silent connection.
	silence = 65 * time.Second
	// patience is how long an event may take. One that is held back comes with the next, or never.
	patience = 20 * time.Second
)

// TestProxies has every transport go through every proxy: an event arrives, and the connection outlives a minute of
// silence, in which all wait together.
func TestProxies(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	var visitors []*visitor
	for _, p := range proxies {
		if _, err := exec.LookPath(p.name); err != nil {
			t.Logf("%s is not installed: it is left out", p.name)
			continue
		}
		visitors = append(visitors, visitAll(t, p.name+" with its own settings", p.start(t, srv.URL, false), p.blocks)...)
		visitors = append(visitors, visitAll(t, p.name+" with those of the page", p.start(t, srv.URL, true), false)...)
	}
	for _, v := range visitors {
		v.arrives(srv, "before")
	}
	if testing.Short() {
		return
	}
	select {
	case <-time.After(silence):
	case <-t.Context().Done():
	}
	for _, v := range visitors {
		v.arrives(srv, "after")
		if n := v.opened.Load(); n != 1 {
			t.Errorf("%s: the connection was opened %d times: the silence cut it", v.name, n)
		}
	}
}

// visitAll goes through the proxy at base by every transport. blocks says that it lets no WebSocket through.
func visitAll(t *testing.T, proxy, base string, blocks bool) (all []*visitor) {
	t.Helper()
	transports := []client.Transport{
		client.TransportAuto, client.TransportStream, client.TransportEvents, client.TransportPoll,
	}
	if passes := upgrades(t, base); passes == blocks {
		t.Errorf("%s passes a WebSocket: %v. The page says otherwise", proxy, passes)
	} else if passes {
		transports = append(transports, client.TransportWebSocket)
	}
	for _, transport := range transports {
		all = append(all, visit(t, proxy+" by "+string(transport), base, transport))
	}
	return append(all, visitPlain(t, proxy+" by EventSource", base))
}

// upgrades reports whether the proxy at base passes a WebSocket's handshake.
func upgrades(t *testing.T, base string) bool {
	t.Helper()
	conn, answer, err := websocket.Dial(t.Context(), strings.Replace(base, "http", "ws", 1)+"/live/websocket", nil)
	if err == nil {
		_ = conn.CloseNow()
	} else if answer == nil {
		t.Fatal(err)
	}
	return err == nil
}
