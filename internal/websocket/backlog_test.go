package websocket

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
)

func TestAwaitRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(Config{})
		s.AwaitRoom(t.Context()) // nobody waits
		for range 2 * maxBacklog {
			s.backlog.add()
		}
		var waiting sync.WaitGroup
		passed := false
		waiting.Go(func() {
			s.AwaitRoom(t.Context())
			passed = true
		})
		for range maxBacklog - 1 {
			s.backlog.remove()
		}
		synctest.Wait()
		if passed {
			t.Fatal("went on while too many wait")
		}
		s.backlog.remove()
		waiting.Wait()

		for range maxBacklog {
			s.backlog.add()
		}
		ctx, cancel := context.WithCancel(t.Context())
		waiting.Go(func() { s.AwaitRoom(ctx) })
		synctest.Wait()
		cancel()
		waiting.Wait()
	})
}
