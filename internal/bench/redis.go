//go:build linux

package bench

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/bench/process"
)

//go:embed redis.lua
var redisScript string

// redisStore is a redis-server that does the work of a durable publish.
type redisStore struct {
	server *listening
	data   string
	client rueidis.Client
	script *rueidis.Lua
	retain string
	window string // ms

	stop      context.CancelFunc
	listening sync.WaitGroup
	got       atomic.Int64
	tell      chan struct{} // holds one value
}

// openRedis starts a redis-server and, unless --no-feed, a listener.
func (b *Publish) openRedis(ctx context.Context) (store, error) {
	r := &redisStore{
		script: rueidis.NewLuaScript(redisScript), retain: strconv.Itoa(b.History), tell: make(chan struct{}, 1),
		window: strconv.FormatInt(engine.DefaultIdemWindow.Milliseconds(), 10), stop: func() {},
	}
	var err error
	if r.data, err = b.tempDir(); err != nil {
		return nil, err
	}
	if err := r.start(ctx); err != nil {
		r.close()
		return nil, err
	}
	if !b.NoFeed {
		r.listen(ctx)
	}
	return r, nil
}

// start runs the server.
func (r *redisStore) start(ctx context.Context) (err error) {
	var addr string
	if r.server, addr, err = startRedis(ctx, r.data, persistence["redis-always"]...); err != nil {
		return err
	}
	r.client, err = rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
	if err != nil {
		return fmt.Errorf("connect to redis-server: %w", err)
	}
	return nil
}

// listen counts what is published to any channel.
func (r *redisStore) listen(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	subscribed := make(chan struct{})
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "psubscribe" {
			close(subscribed)
		}
	})
	command := r.client.B().Psubscribe().Pattern("bench:*").Build()
	r.listening.Go(func() {
		// It ends with close; a connection that is lost before shows in the count.
		_ = r.client.Receive(ctx, command, func(rueidis.PubSubMessage) { r.count() })
	})
	select {
	case <-subscribed:
	case <-ctx.Done():
	}
}

func (r *redisStore) count() {
	r.got.Add(1)
	select {
	case r.tell <- struct{}{}:
	default:
	}
}

func (r *redisStore) publish(ctx context.Context, channel, id string, data []byte) error {
	keys := []string{channel, "i:" + channel + ":" + id, "o:" + channel}
	return r.script.Exec(ctx, r.client, keys, []string{r.retain, r.window, string(data)}).Error()
}

func (r *redisStore) delivered() int64      { return r.got.Load() }
func (r *redisStore) news() <-chan struct{} { return r.tell }

func (r *redisStore) gaps() (int, error) { return 0, nil }

func (r *redisStore) engineCPU() (time.Duration, error) { return process.CPU(r.server.child.PID()) }

func (r *redisStore) close() {
	r.stop()
	if r.client != nil {
		r.client.Close()
	}
	r.listening.Wait()
	if r.server != nil {
		r.server.stop()
	}
	_ = os.RemoveAll(r.data) // what is left is in the system's folder for temporary files
}

// freeAddr returns a loopback address that is free now.
func freeAddr(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
