//go:build linux

package bench

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progressEvery is how often a long wait says how far it is.
const progressEvery = 2 * time.Second

// progress tells people what is going on.
type progress struct {
	w      io.Writer
	prefix string
}

func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, "%s: %s\n", p.prefix, fmt.Sprintf(format, args...))
}

// watch says every 2 s what so returns, until stop is called.
func (p *progress) watch(so func() string) (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.say("%s", so())
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
	}
}
