package e2e

import (
	"context"
	"sync"
)

// barrier lets several goroutines go on once all of them are there. It may be used again and again.
type barrier struct {
	of int

	mu sync.Mutex
	// Guarded by mu.
	there int
	open  chan struct{} // closed and replaced when all are there
}

func newBarrier(of int) *barrier { return &barrier{of: of, open: make(chan struct{})} }

// wait waits for the others, or for the end of ctx.
func (b *barrier) wait(ctx context.Context) {
	b.mu.Lock()
	open := b.open
	if b.there++; b.there == b.of {
		close(b.open)
		b.there, b.open = 0, make(chan struct{})
	}
	b.mu.Unlock()
	select {
	case <-open:
	case <-ctx.Done():
	}
}
