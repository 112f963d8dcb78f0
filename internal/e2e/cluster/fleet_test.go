package cluster

import (
	"testing"

	"github.com/earshot/earshot/client"
)

// nodeCount is how many nodes the tests run.
const nodeCount = 3

// fleet is several nodes on one Redis, each with a line to it of its own.
type fleet struct {
	redis *redisServer
	nodes []*node
	lines []*line // of the node with the same index
}

// startFleet runs a Redis, whose answers are synced to disk, and nodes on it.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{redis: startRedis(t, alwaysSynced...)}
	for range nodeCount {
		l := startLine(t, f.redis.addr())
		f.lines = append(f.lines, l)
		f.nodes = append(f.nodes, startNode(t, "redis://"+l.addr()))
	}
	return f
}

// addrs returns where the nodes listen.
func (f *fleet) addrs() (addrs []string) {
	for _, n := range f.nodes {
		addrs = append(addrs, n.addr)
	}
	return addrs
}

// setLines changes all lines between the nodes and Redis.
func (f *fleet) setLines(mode lineMode) {
	for _, l := range f.lines {
		l.set(mode)
	}
}

// connect starts a client that stays with one node.
func (f *fleet) connect(t *testing.T, i int) *client.Client {
	t.Helper()
	return newRoamer(f.nodes[i].addr).connect(t, client.Options{})
}

// doors returns a roamer to each node alone: clients that come through it stay with that node.
func (f *fleet) doors() (doors []*roamer) {
	for _, n := range f.nodes {
		doors = append(doors, newRoamer(n.addr))
	}
	return doors
}

// cameThrough returns how many connections there were through the doors.
func cameThrough(doors []*roamer) (connections int) {
	for _, d := range doors {
		n, _ := d.visited()
		connections += n
	}
	return connections
}
