package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// startCluster starts masters that share the slots evenly.
func startCluster(t testing.TB, masters int, args ...string) (servers []*server) {
	t.Helper()
	for i := range masters {
		s := startClusterServer(t, args...)
		servers = append(servers, s)
		from, to := i*slotCount/masters, (i+1)*slotCount/masters-1
		s.must("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(from), fmt.Sprint(to))
		s.must("CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1))
	}
	meet(t, servers)
	return servers
}

func startClusterServer(t testing.TB, args ...string) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("a cluster takes seconds to form")
	}
	bus := fmt.Sprint(freePort(t))
	s := startServer(t, append([]string{
		"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1000", "--cluster-port", bus,
	}, args...)...)
	s.bus = bus
	return s
}

// meet makes the servers one cluster, and waits until all of them say that it works.
func meet(t testing.TB, servers []*server) {
	t.Helper()
	for _, s := range servers[1:] {
		servers[0].must("CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(s.port), s.bus)
	}
	eventually(t, "the cluster works", func() bool {
		for _, s := range servers {
			info, err := s.do("CLUSTER", "INFO").ToString()
			if err != nil || !strings.Contains(info, "cluster_state:ok") ||
				!strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(servers))) {
				return false
			}
		}
		return true
	})
}

func (s *server) must(command ...string) string {
	s.t.Helper()
	answer, err := s.do(command...).ToMessage()
	if err != nil {
		s.t.Fatalf("%v: %v", command, err)
	}
	text, _ := answer.ToString()
	return text
}

func TestSlots(t *testing.T) {
	for key, want := range map[string]int{ // of the specification, and of CLUSTER KEYSLOT
		"{123456789}": 12739, "earshot:{foo}:meta": 12182, "{}x": 0,
	} {
		if got := slotOf(key); got != want {
			t.Errorf("slot of %q is %d, want %d", key, got, want)
		}
	}
}

// Whatever a channel is called, all that Redis holds of it is in one slot, and nothing of two channels is the same.
func TestKeysOfAChannel(t *testing.T) {
	s := startClusterServer(t)
	seen := map[string]string{}
	for _, name := range []string{"", "a", "{", "}", "{}", "}{", "a}b", "a{b}c", "%", "%7D", "{a}", "log:\x00", "\xff}"} {
		k := newKeyspace("p:", 0).channel(name)
		keys := append(k.ofMap(), k.entries, k.feed, k.idempotencyKey("u", "k"))
		for _, key := range keys {
			slot, err := s.do("CLUSTER", "KEYSLOT", key).AsInt64()
			if err != nil || int(slot) != slotOf(k.meta) || slotOf(key) != slotOf(k.meta) {
				t.Errorf("channel %q: key %q is in slot %d, meta in %d", name, key, slot, slotOf(k.meta))
			}
			if other, taken := seen[key]; taken && other != name {
				t.Errorf("channels %q and %q share the key %q", name, other, key)
			}
			seen[key] = name
		}
	}
}

// fedByAll publishes on one node to channels of every master, and checks that the other is fed.
func fedByAll(t *testing.T, from, to *node, round string) {
	t.Helper()
	for i := range 30 {
		name := fmt.Sprintf("log:%d", i)
		to.waitFed(name, from.insist(name, fmt.Sprint(round, i)))
	}
}

func TestClusterNodeIsKilled(t *testing.T) {
	servers := startCluster(t, 3, appendAlways...)
	from, to := startNode(t, Options{URL: servers[0].url()}), startNode(t, Options{URL: servers[1].url()})
	for i := range 30 {
		to.listen(fmt.Sprintf("log:%d", i))
	}
	fedByAll(t, from, to, "before")
	servers[2].kill()
	eventually(t, "it is not healthy", func() bool { return to.Fault() != nil })
	servers[2].start()
	fedByAll(t, from, to, "after")
	eventually(t, "it is healthy", func() bool { return to.Fault() == nil && from.Fault() == nil })
	for i := range 30 {
		checkChain(t, to.feed.of(fmt.Sprintf("log:%d", i)))
	}
}

// A channel moves to another master: its feed goes on from there.
func TestClusterSlotMoves(t *testing.T) {
	servers := startCluster(t, 3)
	from, to := startNode(t, Options{URL: servers[0].url()}), startNode(t, Options{URL: servers[1].url()})
	for i := range 30 {
		to.listen(fmt.Sprintf("log:%d", i))
	}
	fedByAll(t, from, to, "before")
	name := "log:7"
	moveSlot(t, servers, slotOf(to.keys.channel(name).meta))
	fedByAll(t, from, to, "after")
	fed := to.feed.of(name)
	if checkChain(t, fed); len(fed) != 2 {
		t.Fatalf("fed %d publications, want 2", len(fed))
	}
}

// moveSlot moves a slot to the next master.
func moveSlot(t *testing.T, servers []*server, slot int) {
	t.Helper()
	owner := slot * len(servers) / slotCount
	from, to := servers[owner], servers[(owner+1)%len(servers)]
	text, fromID, toID := fmt.Sprint(slot), from.must("CLUSTER", "MYID"), to.must("CLUSTER", "MYID")
	to.must("CLUSTER", "SETSLOT", text, "IMPORTING", fromID)
	from.must("CLUSTER", "SETSLOT", text, "MIGRATING", toID)
	keys, err := from.do("CLUSTER", "GETKEYSINSLOT", text, "1000").AsStrSlice()
	if err != nil || len(keys) == 0 {
		t.Fatalf("slot %d has keys %v, %v", slot, keys, err)
	}
	from.must(append([]string{"MIGRATE", "127.0.0.1", fmt.Sprint(to.port), "", "0", "5000", "KEYS"}, keys...)...)
	for _, s := range []*server{to, from, servers[(owner+2)%len(servers)]} {
		s.must("CLUSTER", "SETSLOT", text, "NODE", toID)
	}
}

// A replica takes over from a master: nodes find it, and what it lost begins a new epoch.
func TestClusterFailover(t *testing.T) {
	servers := startCluster(t, 3)
	replica := startClusterServer(t)
	all := append(servers, replica)
	meet(t, all)
	replica.must("CLUSTER", "REPLICATE", servers[0].must("CLUSTER", "MYID"))
	eventually(t, "the replica follows", func() bool {
		return strings.Contains(replica.must("INFO", "replication"), "master_link_status:up")
	})
	from, to := startNode(t, Options{URL: servers[1].url()}), startNode(t, Options{URL: servers[2].url()})
	for i := range 30 {
		to.listen(fmt.Sprintf("log:%d", i))
	}
	fedByAll(t, from, to, "before")
	servers[0].kill()
	eventually(t, "the replica is the master", func() bool {
		return strings.Contains(replica.must("INFO", "replication"), "role:master")
	})
	fedByAll(t, from, to, "after")
	eventually(t, "it is healthy", func() bool { return to.Fault() == nil })
}

// While one master does not answer, channels of the others go on.
func TestOneMasterIsSilent(t *testing.T) {
	servers := startCluster(t, 3)
	n := startNode(t, Options{URL: servers[0].url(), Timeout: time.Second})
	silent, others := channelsOf(2), channelsOf(0)
	n.say(silent(0), "1")
	n.say(others(0), "1")
	servers[2].pause()
	defer servers[2].resume()
	for i := range 1000 {
		n.Publish(t.Context(), engine.Proposal{Channel: silent(i), Message: message("x")}, func(engine.Receipt, error) {})
	}
	began := time.Now()
	n.say(others(1), "2")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a publish to another master took %v", took)
	}
}

// channelsOf returns channels of one of three masters.
func channelsOf(master int) func(i int) string {
	var names []string
	for i := 0; len(names) < 1000; i++ {
		name := fmt.Sprintf("log:%d", i)
		if slotOf(hashTag(name))*3/slotCount == master {
			names = append(names, name)
		}
	}
	return func(i int) string { return names[i] }
}
