//go:build linux

package bench

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/bench/process"
)

const (
	// announcement is what a server says on its standard output once it accepts connections.
	announcement = "listening on "
	// startPatience is how long it has until then.
	startPatience = 30 * time.Second
)

// listening is a server process that said where it listens.
type listening struct {
	child   *process.Child
	url     string
	reading sync.WaitGroup
}

// listen runs a server of this program and waits until it listens.
func listen(ctx context.Context, cmd *exec.Cmd) (*listening, error) {
	return listenWhen(ctx, cmd, func(line string) (string, bool) { return strings.CutPrefix(line, announcement) })
}

// listenWhen runs a server and waits until announced finds, in a line of what it says, that it listens, and where.
func listenWhen(ctx context.Context, cmd *exec.Cmd, announced func(line string) (string, bool)) (*listening, error) {
	child, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	s := &listening{child: child}
	said := make(chan string, 1)
	s.reading.Go(func() { s.read(announced, said) })
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("the server does not say where it listens"))
	defer cancel()
	select {
	case s.url = <-said:
		return s, nil
	case <-child.Exited():
		err = child.Failure()
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.stop()
	return nil, fmt.Errorf("start a server: %w", err)
}

// read passes on the announcement and lets go of the rest.
func (s *listening) read(announced func(string) (string, bool), said chan<- string) {
	for lines := bufio.NewScanner(s.child.Stdout); lines.Scan(); {
		if url, ok := announced(lines.Text()); ok {
			select {
			case said <- url:
			default: // it said so before
			}
		}
	}
}

func (s *listening) stop() {
	s.child.Stop(context.Background())
	s.reading.Wait()
}

func (s *listening) kill() {
	s.child.Kill()
	s.reading.Wait()
}
