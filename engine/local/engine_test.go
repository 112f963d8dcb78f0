package local

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/enginetest"
)

// TestMain looks for leaks. Pebble itself leaves one goroutine behind when it cannot open a folder; of an engine that
// was not closed there would be others.
func TestMain(m *testing.M) {
	const leftByFailedOpen = "github.com/cockroachdb/pebble/v2.(*ConcurrencyLimitScheduler).periodicGranter"
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(leftByFailedOpen))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestContract(t *testing.T) {
	var disks sync.Map // a file system in memory for each environment
	enginetest.Run(t, enginetest.Suite{
		Maps:     true,
		Restarts: true, FollowsClock: true,
		Open: func(t *testing.T, env *enginetest.Env) engine.Engine {
			disk, _ := disks.LoadOrStore(env, vfs.NewMem())
			e, err := Open(Options{Dir: "data", FS: disk.(vfs.FS), Rules: env.Rules, Now: env.Now, Logger: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			return e
		},
	})
}
