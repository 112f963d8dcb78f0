package cluster

import (
	"os/exec"
	"syscall"
)

// endWithTest has the kernel kill the process when the test's does, also where the test has no time to clean up.
func endWithTest(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
