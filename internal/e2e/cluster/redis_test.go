package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/internal/testkit"
)

// redisServer is a redis-server of a test's own. It can be killed and started again with the data that it left.
type redisServer struct {
	t    *testing.T
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
}

// alwaysSynced makes Redis answer after its append-only file is on disk.
var alwaysSynced = []string{"--save", "", "--appendonly", "yes", "--appendfsync", "always"}

func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	r := &redisServer{t: t, dir: t.TempDir(), port: freePort(t), args: args}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (r *redisServer) addr() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

func (r *redisServer) url() string { return "redis://" + r.addr() }

// start runs redis-server on what is in its folder, and waits until it answers.
func (r *redisServer) start() {
	r.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		r.t.Skip("redis-server is not installed: scripts/need redis-server")
	}
	log, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	args := append([]string{"--bind", "127.0.0.1", "--port", fmt.Sprint(r.port), "--dir", r.dir}, r.args...)
	r.cmd = exec.Command(path, args...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	endWithTest(r.cmd)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	testkit.Eventually(r.t, "redis-server answers", func() bool {
		answer, err := r.try("PING")
		return err == nil && answer == "PONG"
	})
}

// kill ends the process as kill -9 does. It is idempotent.
func (r *redisServer) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill() // it may be gone already
		_ = r.cmd.Wait()         // reports the kill
		r.cmd = nil
	}
}

// do runs a command, as an operator would.
func (r *redisServer) do(command ...string) string {
	r.t.Helper()
	answer, err := r.try(command...)
	if err != nil {
		r.t.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	return answer
}

// try runs a command and returns its answer, of whatever type, as text.
func (r *redisServer) try(command ...string) (string, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{r.addr()}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
	})
	if err != nil {
		return "", err
	}
	defer c.Close()
	answer, err := c.Do(context.Background(), c.B().Arbitrary(command...).Build()).ToAny()
	return fmt.Sprint(answer), err
}

// startRedisCluster runs three masters that share the slots, and returns the URL of them all.
func startRedisCluster(t *testing.T, args ...string) string {
	t.Helper()
	const masters, slots = 3, 16384
	var servers []*redisServer
	for i := range masters {
		bus := fmt.Sprint(freePort(t))
		r := startRedis(t, append([]string{
			"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000", "--cluster-port", bus,
		}, args...)...)
		servers = append(servers, r)
		r.do("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(i*slots/masters), fmt.Sprint((i+1)*slots/masters-1))
		r.do("CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1))
		if i > 0 {
			servers[0].do("CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(r.port), bus)
		}
	}
	testkit.Eventually(t, "all masters say that the cluster works", func() bool {
		for _, r := range servers {
			info, err := r.try("CLUSTER", "INFO")
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	})
	return fmt.Sprintf("%s?addr=%s&addr=%s", servers[0].url(), servers[1].addr(), servers[2].addr())
}
