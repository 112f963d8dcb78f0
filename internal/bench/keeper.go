//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/internal/bench/process"
)

// Backend is the flags of benches whose server may keep its data in Redis.
type Backend struct {
	Engine    string `default:"local" placeholder:"WHAT" help:"Where the bench's own server keeps its data: local; redis-always, redis-everysec or redis-memory, in a redis-server or valkey-server of the bench's own that keeps it so; or the redis:// address of one that is there, which keeps what the bench adds."`
	EnginePID int    `name:"engine-pid" placeholder:"PID" help:"With a redis:// address: the process of that Redis, to measure its CPU and memory."`
}

const engineLocal = "local"

// persistence is the settings of a Redis of the bench's own, by the name of an engine. Rewrites of the append-only file, which come
// when it has grown, would make runs differ.
var persistence = map[string][]string{
	"redis-always":   {"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"},
	"redis-everysec": {"--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"},
	"redis-memory":   {"--appendonly", "no"},
}

func (b *Backend) validateEngine(url string) error {
	remote := strings.HasPrefix(b.Engine, "redis://") || strings.HasPrefix(b.Engine, "rediss://")
	switch {
	case b.Engine == engineLocal || persistence[b.Engine] != nil || remote:
	default:
		return fmt.Errorf("--engine: %q is none of local, redis-always, redis-everysec, redis-memory, and an address such as redis://127.0.0.1:6379", b.Engine)
	}
	switch {
	case b.EnginePID != 0 && !remote:
		return errors.New("--engine-pid: only with a redis:// address in --engine")
	case b.Engine != engineLocal && url != "":
		return errors.New("--engine: only with a server of the bench's own")
	}
	return nil
}

// keeper is the Redis that a server keeps its data in.
type keeper struct {
	url    string
	pid    int        // zero: not known
	server *listening // nil if it is not the bench's own
	data   string     // its temporary folder

	bytesWithNone int64 // that it had in use before the bench
}

// openKeeper returns the Redis of the flags, or nil for the embedded engine. The caller closes it.
func (c *Common) openKeeper(ctx context.Context, b *Backend) (*keeper, error) {
	if b == nil || b.Engine == engineLocal {
		return nil, nil
	}
	k := &keeper{url: b.Engine, pid: b.EnginePID}
	var err error
	if settings := persistence[b.Engine]; settings != nil {
		err = k.start(ctx, c, settings)
	}
	if err == nil {
		k.bytesWithNone, err = k.memory(ctx)
	}
	if err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

// start runs a Redis of the bench's own.
func (k *keeper) start(ctx context.Context, c *Common, settings []string) (err error) {
	if k.data, err = c.tempDir(); err != nil {
		return err
	}
	var addr string
	if k.server, addr, err = startRedis(ctx, k.data, settings...); err != nil {
		return err
	}
	k.url, k.pid = "redis://"+addr, k.server.child.PID()
	return nil
}

// cpu returns the CPU time that the Redis has used; zero if its process is not known.
func (k *keeper) cpu() (time.Duration, error) {
	if k == nil || k.pid == 0 {
		return 0, nil
	}
	return process.CPU(k.pid)
}

// memory returns the bytes that Redis says it has in use.
func (k *keeper) memory(ctx context.Context) (int64, error) {
	o, err := rueidis.ParseURL(k.url)
	if err != nil {
		return 0, errors.New("read the address of --engine") // its error may show the password
	}
	o.DisableCache, o.ForceSingleClient = true, true
	client, err := rueidis.NewClient(o)
	if err != nil {
		return 0, fmt.Errorf("connect to Redis: %w", err)
	}
	defer client.Close()
	info, err := client.Do(ctx, client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for its memory: %w", err)
	}
	for line := range strings.Lines(info) {
		if text, ok := strings.CutPrefix(line, "used_memory:"); ok {
			return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
	}
	return 0, errors.New("ask Redis for its memory: it does not say")
}

// close ends a Redis of the bench's own.
func (k *keeper) close() {
	if k == nil || k.data == "" {
		return
	}
	if k.server != nil {
		k.server.kill() // its data is thrown away
	}
	_ = os.RemoveAll(k.data) // what is left is in the system's folder for temporary files
}

// startRedis runs a redis-server, or else a valkey-server, on a free port, with settings and none of the system's.
func startRedis(ctx context.Context, dir string, settings ...string) (server *listening, addr string, err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		path, err = exec.LookPath("valkey-server")
	}
	if err != nil {
		return nil, "", errors.New("redis-server is not installed; on Debian: apt-get install redis-server")
	}
	if addr, err = freeAddr(ctx); err != nil {
		return nil, "", err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(path, append([]string{"--port", port, "--bind", host, "--dir", dir, "--save", "", "--daemonize", "no"}, settings...)...)
	server, err = listenWhen(ctx, cmd, func(line string) (string, bool) {
		return addr, strings.Contains(line, "Ready to accept connections")
	})
	return server, addr, err
}
