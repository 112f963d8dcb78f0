package websocket

import (
	"context"
	"sync/atomic"
)

// maxBacklog is how many connections may wait for their turn before AwaitRoom holds up whoever has more: with two workers
// and some 5 us for a write, about a millisecond of work.
const maxBacklog = 256

// backlog counts the connections that wait for a turn.
type backlog struct {
	waiting atomic.Int32
	room    chan struct{} // holds a token when the count has come down to maxBacklog
}

func newBacklog() *backlog { return &backlog{room: make(chan struct{}, 1)} }

func (b *backlog) add() { b.waiting.Add(1) }

func (b *backlog) remove() {
	if b.waiting.Add(-1) == maxBacklog {
		select {
		case b.room <- struct{}{}:
		default:
		}
	}
}

// AwaitRoom waits while many connections have something to say and have not had their turn, or until ctx ends. Whoever
// notifies thousands of connections calls it now and then, by one goroutine at a time: turns are given in the order of
// Notify, and a connection that is notified in between is to have its turn soon.
func (s *Server) AwaitRoom(ctx context.Context) {
	for s.backlog.waiting.Load() > maxBacklog {
		select {
		case <-s.backlog.room:
		case <-ctx.Done():
			return
		}
	}
}
