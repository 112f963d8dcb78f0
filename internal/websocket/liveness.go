package websocket

// States of Conn.hearing, which answers what was heard from the peer since the last ping.
const (
	hearingNothing uint32 = iota
	hearingHeard
	hearingBusy // the reading goroutine is at work and does not listen: no silence of the peer
)

// visit does what is due about the connection's times and returns when it wants to be visited again. Only the wheel calls
// it. To come early does no harm.
func (c *Conn) visit(now int64) int64 {
	w := c.server.wheel
	if by := c.closeBy.Load(); expired(by, now) {
		c.Abort(ErrCloseTimeout)
		return never
	}
	if expired(after(c.stalledSince.Load(), w.stallLimit), now) {
		c.Abort(ErrStalled)
		return never
	}
	if expired(after(c.messageSince.Load(), w.messageLimit), now) {
		c.messageSince.Store(0)
		c.fail(violation(ClosePolicy, "message took too long"))
	}
	next := c.attend(now)
	return earliest(next, c.closeBy.Load(),
		after(c.stalledSince.Load(), w.stallLimit), after(c.messageSince.Load(), w.messageLimit))
}

// attend pings the peer when it is time, and aborts the connection if nothing was heard after that.
func (c *Conn) attend(now int64) int64 {
	w := c.server.wheel
	if expired(c.pongDue, now) {
		c.pongDue = 0
		// While a write is stuck the ping may not have gone out: then the stall's own limit rules.
		if c.hearing.Load() == hearingNothing && c.stalledSince.Load() == 0 {
			c.Abort(ErrSilent)
			return never
		}
	}
	if now >= c.pingDue {
		// What was heard answers all pings before this one. Of those without an answer, the first one counts.
		if heard := c.hearing.CompareAndSwap(hearingHeard, hearingNothing); heard || c.pongDue == 0 {
			c.pongDue = now + w.pongGrace
		}
		c.pingDue = now + w.pingEvery
		c.owePing()
	}
	return earliest(c.pingDue, c.pongDue)
}

func (c *Conn) owePing() {
	c.mu.Lock()
	c.ping = true
	c.mu.Unlock()
	c.Notify()
}

// after returns when limit slots since a time are over, or zero if there is no such time.
func after(since, limit int64) int64 {
	if since == 0 {
		return 0
	}
	return since + limit
}

func expired(due, now int64) bool { return due != 0 && now >= due }

// earliest returns the earliest of times that are not zero.
func earliest(times ...int64) int64 {
	first := int64(never)
	for _, t := range times {
		if t != 0 {
			first = min(first, t)
		}
	}
	return first
}
