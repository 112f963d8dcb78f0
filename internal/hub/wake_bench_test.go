package hub

import (
	"fmt"
	"testing"
)

// crowdOf returns a channel with so many listeners, which only count.
func crowdOf(count int) (*channel, *listening) {
	c, l := new(channel), new(listening)
	for range count {
		c.add(&Subscription{channel: c, listener: l})
	}
	return c, l
}

func (c *channel) wakeAll() {
	c.next = 0
	for !c.wakeSome(wakeTurn) {
		continue
	}
}

// BenchmarkWake wakes all listeners of a channel. An operation is one listener.
func BenchmarkWake(b *testing.B) {
	for _, count := range []int{2, 2_000, 100_000} {
		b.Run(fmt.Sprintf("listeners=%d", count), func(b *testing.B) {
			c, _ := crowdOf(count)
			b.ReportAllocs()
			b.ResetTimer()
			for range max(1, b.N/count) {
				c.wakeAll()
			}
		})
	}
}

func TestWakingAllocatesNothing(t *testing.T) {
	c, l := crowdOf(1000)
	if n := testing.AllocsPerRun(10, c.wakeAll); n != 0 {
		t.Errorf("%v allocations to wake 1,000 listeners", n)
	}
	if l.later == 0 {
		t.Error("nobody was woken")
	}
}
