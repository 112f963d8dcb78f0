package websocket

import (
	"testing"
	"time"
)

// wheelConn returns a connection that only the wheel knows.
func wheelConn(t *testing.T, s *Server) *Conn {
	t.Helper()
	c := newConn(s, &blockingSocket{}, agreement{})
	if !s.wheel.add(c) {
		t.Fatal("wheel is closed")
	}
	return c
}

// TestWheelPingsAllEvenly turns the wheel by hand and counts pings.
func TestWheelPingsAllEvenly(t *testing.T) {
	const count = 1000
	s := NewServer(Config{})
	var conns []*Conn
	for range count {
		conns = append(conns, wheelConn(t, s))
	}
	pings := func(from, to int64) (total int) {
		for now := from; now <= to; now++ {
			s.wheel.advance(now)
			for _, c := range conns {
				c.hearing.Store(hearingHeard)
				if c.ping {
					c.ping = false
					total++
				}
			}
		}
		return total
	}
	if got := pings(2, 26); got != count {
		t.Errorf("%d pings in the first interval, want %d", got, count)
	}
	if got := pings(27, 126); got != 4*count {
		t.Errorf("%d pings in the next four, want %d", got, 4*count)
	}
	perSlot := pings(127, 127)
	if perSlot < 10 || perSlot > 100 {
		t.Errorf("%d pings in one slot, want about %d", perSlot, count/25)
	}
}

// TestWheelFarAhead has times beyond the wheel's slots.
func TestWheelFarAhead(t *testing.T) {
	s := NewServer(Config{PingInterval: 10 * time.Minute})
	c := wheelConn(t, s)
	due := c.pingDue
	for now := int64(2); now < due; now++ {
		s.wheel.advance(now)
		if c.ping {
			t.Fatalf("pinged at %d, due at %d", now, due)
		}
	}
	s.wheel.advance(due)
	if !c.ping {
		t.Errorf("not pinged at %d", due)
	}
}

// TestWheelLate turns the wheel by many rounds at once, as after a suspended machine: one round of them is turned.
func TestWheelLate(t *testing.T) {
	s := NewServer(Config{})
	var conns []*Conn
	for range 100 {
		conns = append(conns, wheelConn(t, s))
	}
	s.wheel.advance(1 << 40)
	for _, c := range conns {
		if !c.ping {
			t.Fatal("a connection was not visited")
		}
	}
}

func TestWheelExpectSooner(t *testing.T) {
	s := NewServer(Config{PingInterval: time.Minute})
	c := wheelConn(t, s)
	c.pingDue = 50
	s.wheel.advance(2)
	for _, due := range []int64{40, 30, 35, 3} {
		s.wheel.expect(c, due)
	}
	if c.spot.due != 3 || !c.spot.linked {
		t.Errorf("due at %d, want 3", c.spot.due)
	}
	s.wheel.advance(3)
	if c.spot.due != 50 {
		t.Errorf("after an early visit due at %d, want 50", c.spot.due)
	}
	s.wheel.remove(c)
	s.wheel.expect(c, 4)
	s.wheel.advance(60)
	if c.ping || len(s.wheel.close()) != 0 {
		t.Error("visited after it was removed")
	}
}
