//go:build linux

package crowd

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asLoadProcess makes the test's own binary a load process.
const asLoadProcess = "EARSHOT_TEST_AS_LOAD_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asLoadProcess) != "" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
