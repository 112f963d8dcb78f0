package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startSentinel starts a Sentinel that replaces a master after a second of silence.
func startSentinel(t *testing.T, master *server) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1\nsentinel down-after-milliseconds main 1000\n"+
		"sentinel failover-timeout main 3000\n", master.port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return startServer(t, file, "--sentinel")
}

// startReplicated starts a master with a replica, and a Sentinel that knows both.
func startReplicated(t *testing.T) (master, replica, sentinel *server) {
	t.Helper()
	if testing.Short() {
		t.Skip("a failover takes seconds")
	}
	master, replica = startServer(t, appendAlways...), startServer(t, appendAlways...)
	replica.must("REPLICAOF", "127.0.0.1", fmt.Sprint(master.port))
	eventually(t, "the replica follows", func() bool {
		return strings.Contains(replica.must("INFO", "replication"), "master_link_status:up")
	})
	sentinel = startSentinel(t, master)
	eventually(t, "the Sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.must("INFO", "sentinel"), "slaves=1")
	})
	return master, replica, sentinel
}

// A node finds the master through a Sentinel, and the next one when that is gone. What both have is fed once, in order; what
// only the first had ends in a new epoch.
func TestSentinelFailover(t *testing.T) {
	master, replica, sentinel := startReplicated(t)
	url := sentinel.url() + "?master_set=main"
	n, other := startNode(t, Options{URL: url}), startNode(t, Options{URL: url})
	for _, name := range []string{"log:kept", "log:lost"} {
		n.listen(name)
		n.waitFed(name, other.insist(name, "1"))
	}
	replica.pause()
	master.must("CLIENT", "KILL", "TYPE", "replica") // from here on the replica gets nothing
	lost := other.say("log:lost", "2")
	n.waitFed("log:lost", lost)
	master.kill()
	replica.resume()
	last := other.insist("log:kept", "2")
	if fed := n.waitFed("log:kept", last); len(fed) != 2 {
		t.Fatalf("fed %d publications, want 2", len(fed))
	}
	checkChain(t, n.feed.of("log:kept"))
	eventually(t, "what is lost ends in a new epoch", func() bool {
		fed := n.feed.of("log:lost")
		return fed[len(fed)-1].Epoch != lost.Epoch
	})
	n.wantReset("log:lost", lost)
	n.waitFed("log:lost", other.insist("log:lost", "3"))
	eventually(t, "they are healthy", func() bool { return n.Fault() == nil && other.Fault() == nil })
}

// The Sentinel replaces a master that lives on as a replica.
func TestSentinelDemotesTheMaster(t *testing.T) {
	master, _, sentinel := startReplicated(t)
	n := startNode(t, Options{URL: sentinel.url() + "?master_set=main", CheckInterval: time.Second})
	n.listen("log:a")
	n.waitFed("log:a", n.insist("log:a", "1"))
	eventually(t, "the Sentinel takes the replica for good", func() bool {
		return sentinel.do("SENTINEL", "FAILOVER", "main").Error() == nil
	})
	eventually(t, "the master is a replica", func() bool {
		return strings.Contains(master.must("INFO", "replication"), "role:slave")
	})
	fed := n.waitFed("log:a", n.insist("log:a", "2"))
	if checkChain(t, fed); len(fed) != 2 {
		t.Fatalf("fed %d publications, want 2", len(fed))
	}
	eventually(t, "it is healthy", func() bool { return n.Fault() == nil })
}
