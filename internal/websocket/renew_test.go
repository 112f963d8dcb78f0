package websocket

import "testing"

// TestRenewal follows a reading goroutine through what it delivers: when does a fresh one take its place?
func TestRenewal(t *testing.T) {
	s := NewServer(Config{})
	c := newConn(s, &blockingSocket{}, agreement{})
	receive := func(message bool, want bool) {
		t.Helper()
		c.growth.delivered = message
		if got := c.outgrown(); got != want {
			t.Errorf("message %v: outgrown %v, want %v", message, got, want)
		}
	}
	receive(false, false)
	for range maxRenewals {
		receive(true, true)
	}
	receive(true, false) // too often in this slot
	receive(true, false)
	receive(false, true) // the pong
	receive(false, false)
	s.wheel.now.Add(1)
	receive(true, true)
	receive(false, true) // the fresh one may have begun with too much
	receive(false, false)
}
