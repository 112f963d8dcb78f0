package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// needRoot skips the test, and says so, where the machine cannot be changed for it: only root may, and the commands must be there.
func needRoot(t *testing.T, commands ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for the machine's devices")
	}
	for _, name := range commands {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs the command %s", name)
		}
	}
}

// command runs a command that must succeed, and returns what it printed.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
