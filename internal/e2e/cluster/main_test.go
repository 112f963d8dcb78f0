package cluster

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/earshot/earshot/internal/testkit"
)

// binary is the program under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	if engine := os.Getenv(embedderEngine); engine != "" {
		os.Exit(embed(engine))
	}
	flag.Parse()
	dir, err := os.MkdirTemp("", "earshot-cluster")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "earshot")
	build := exec.Command("go", "build", "-o", binary, "github.com/earshot/earshot/cmd/earshot")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	// The client of a Redis Cluster looks at its slots again after a second, whether it was closed or not.
	if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1")); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	_ = os.RemoveAll(dir) // what is left of it does no harm in the folder for temporary files
	os.Exit(code)
}

// patience ends a test that hangs.
var patience = testkit.Scale(3*time.Minute, 20*time.Minute)
