package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/internal/testkit"
)

// checkInterval is how often a node compares a quiet channel with Redis. What a test waits for beyond it is for a machine
// that is busy.
const checkInterval = 10 * time.Second

// pair is a fleet whose Redis has a replica.
type pair struct {
	*fleet
	replica *redisServer
	link    *line // from the replica to the primary
}

func startPair(t *testing.T) *pair {
	t.Helper()
	f := startFleet(t)
	link := startLine(t, f.redis.addr())
	host, port, _ := strings.Cut(link.addr(), ":")
	return &pair{f, startRedis(t, append([]string{"--replicaof", host, port}, alwaysSynced...)...), link}
}

// part cuts the replica off once it has all that the primary has.
func (p *pair) part(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "the replica has everything", func() bool {
		there := p.replica.do("INFO", "replication")
		return strings.Contains(there, "master_link_status:up") && replOffset(there) == replOffset(p.redis.do("INFO", "replication"))
	})
	p.link.set(lineCut)
}

// replOffset returns how far the replication has come, by INFO.
func replOffset(info string) string {
	_, rest, _ := strings.Cut(info, "\nmaster_repl_offset:")
	offset, _, _ := strings.Cut(rest, "\r\n")
	return offset
}

// promote kills the primary and makes the replica take its place. No node reaches it yet.
func (p *pair) promote() {
	p.setLines(lineCut)
	p.redis.kill()
	p.replica.do("REPLICAOF", "NO", "ONE")
}

// lead brings the nodes to the promoted replica.
func (p *pair) lead() {
	for _, l := range p.lines {
		l.lead(p.replica.addr())
		l.set(lineOpen)
	}
}
