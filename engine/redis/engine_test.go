package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/enginetest"
)

func TestMain(m *testing.M) {
	// The client of a cluster looks at its slots again after a second, whether it was closed or not.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestContract(t *testing.T) {
	for _, binary := range binaries {
		t.Run(binary, func(t *testing.T) {
			s := startServerOf(t, binary, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
			runContract(t, []*server{s}, engine.DurabilityRedisEverySecond)
		})
	}
}

func TestContractOnACluster(t *testing.T) {
	servers := startCluster(t, 3, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	runContract(t, servers, engine.DurabilityRedisAlways)
}

// runContract runs the suite on engines that each have a prefix of their own. The last of the servers is named to them.
func runContract(t *testing.T, servers []*server, durability engine.Durability) {
	var prefixes sync.Map // of each environment
	var count atomic.Int64
	enginetest.Run(t, enginetest.Suite{
		Restarts: true, FollowsClock: true, Maps: true, Durability: durability,
		Open: func(t *testing.T, env *enginetest.Env) engine.Engine {
			prefix, _ := prefixes.LoadOrStore(env, fmt.Sprintf("t%d:", count.Add(1)))
			e, err := Open(context.Background(), Options{
				URL: servers[len(servers)-1].url(), Prefix: prefix.(string), Rules: env.Rules, Logger: quiet(), now: env.Now,
				CheckInterval: time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			return e
		},
		Empty: func(t *testing.T, env *enginetest.Env) {
			prefix, _ := prefixes.Load(env)
			for _, s := range servers {
				s.deleteAll(prefix.(string))
			}
		},
	})
}

// deleteAll deletes the keys that begin with prefix.
func (s *server) deleteAll(prefix string) {
	s.t.Helper()
	keys, err := s.do("KEYS", prefix+"*").AsStrSlice()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		s.must("DEL", key)
	}
}
