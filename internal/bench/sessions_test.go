//go:build linux

package bench

import (
	"io"
	"testing"
)

// TestSessions runs the bench in small: every session gets every message, and every figure is there.
func TestSessions(t *testing.T) {
	b := &Sessions{Sessions: 300, Channels: 7, Broadcasts: 2, Size: 128}
	f, err := b.measure(t.Context(), &progress{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if f[connections] != 300 || f[messages] != 2 || f[deliveries] != 600 || f[errorCount] != 0 {
		t.Errorf("%v", f)
	}
	for _, name := range []metric{cpuPerConnection, cpuPerMillion, broadcastSeconds, collectionCPU} {
		if f[name] <= 0 {
			t.Errorf("%s is %v", name, f[name])
		}
	}
	// So few sessions may fit into what the tests before have left.
	for _, name := range []metric{rssPerConnection, heapPerConn, objectsPerConn, stackPerConn} {
		if _, ok := f[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
}
