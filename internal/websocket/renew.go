package websocket

// maxRenewals is how often in one slot of the wheel a reading goroutine is replaced for having delivered messages.
const maxRenewals = 4

// growth is what is known of the stack of the reading goroutine.
//
// A stack that Message made grow keeps at least twice its first size for good, and a crowd of them sets the process's
// peak. A fresh goroutine costs about 2 us if its stack is to grow again: nothing to a connection that now and then says
// something, but a seventh of the round trip of one that never stops.
//
// The runtime begins a goroutine with as much stack as all had on average at the last collection, so that one which is
// made in a rush of handshakes has twice of what it needs. So it is replaced once more, when it is quiet.
type growth struct {
	delivered bool   // the bytes that came last brought a message
	deep      bool   // a message was delivered since it was quiet
	renewals  uint8  // in slot
	slot      uint32 // the low bits
}

// outgrown reports whether a fresh goroutine should go on in place of this one: because it has just delivered messages,
// but not again and again; or because messages were delivered before and now there was none, which is at the latest the
// next pong.
func (c *Conn) outgrown() bool {
	g := &c.growth
	if !g.delivered {
		renew := g.deep
		g.deep = false
		return renew
	}
	g.delivered, g.deep = false, true
	if now := uint32(c.server.wheel.now.Load()); g.slot != now {
		g.slot, g.renewals = now, 0
	}
	if g.renewals >= maxRenewals {
		return false
	}
	g.renewals++
	return true
}
