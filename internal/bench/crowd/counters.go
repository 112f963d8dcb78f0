//go:build linux

package crowd

import "sync/atomic"

// counters are what the clients of a crowd count together.
type counters struct {
	clients   int64
	settled   atomic.Int64 // arrived or failed
	arrived   atomic.Int64
	delivered atomic.Int64
	allHere   chan struct{} // closed when all have settled
	news      chan struct{} // holds one value
}

func newCounters(clients int) *counters {
	return &counters{clients: int64(clients), allHere: make(chan struct{}), news: make(chan struct{}, 1)}
}

// settle counts a client that has arrived or failed.
func (c *counters) settle() {
	if c.settled.Add(1) == c.clients {
		close(c.allHere)
	}
}

// deliver counts deliveries.
func (c *counters) deliver(n int64) {
	c.delivered.Add(n)
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// Arrived, Delivered and News are those of Crowd.
func (c *counters) Arrived() int64        { return c.arrived.Load() }
func (c *counters) Delivered() int64      { return c.delivered.Load() }
func (c *counters) News() <-chan struct{} { return c.news }
