package websocket

// States of Conn.turn. The turn is the right to call Fill and to write; a worker has it, or the goroutine that waits for a
// full socket. So neither needs a lock.
const (
	turnIdle   uint32 = iota // nothing to say
	turnQueued               // in the worker's list
	turnTaken                // somebody has the turn
	turnNoted                // somebody has the turn, and there was news since
	turnEnding               // somebody has the turn, and the reading goroutine waits for its end: the last one
	turnOver                 // there will be no more turns
)

// Notify says that there is something to fill. It costs little, never blocks and may be called at any time, any number of
// times: a Fill that begins later is due after each of them, and one Fill may serve many.
func (c *Conn) Notify() {
	for {
		switch state := c.turn.Load(); state {
		case turnIdle:
			if c.turn.CompareAndSwap(state, turnQueued) {
				c.worker.push(c)
				return
			}
		case turnTaken:
			if c.turn.CompareAndSwap(state, turnNoted) {
				return
			}
		default:
			return
		}
	}
}

// takeTurn begins the turn of a connection from the worker's list, unless it is over.
func (c *Conn) takeTurn() bool { return c.turn.CompareAndSwap(turnQueued, turnTaken) }

// endTurn gives the turn back, and queues for the next if there is more to say or news came.
func (c *Conn) endTurn(more bool) {
	if !more && c.turn.CompareAndSwap(turnTaken, turnIdle) {
		return
	}
	for {
		state := c.turn.Load()
		if state == turnEnding {
			close(c.lastTurn)
			return
		}
		if c.turn.CompareAndSwap(state, turnQueued) {
			c.worker.push(c)
			return
		}
	}
}

// stopTurns waits for the turn that is taken, if any, and lets no other begin. The socket is closed, so it will not be
// long. Only the reading goroutine calls it, once.
func (c *Conn) stopTurns() {
	for {
		state := c.turn.Load()
		if state == turnIdle || state == turnQueued {
			if c.turn.CompareAndSwap(state, turnOver) {
				return
			}
			continue
		}
		c.lastTurn = make(chan struct{})
		if c.turn.CompareAndSwap(state, turnEnding) {
			<-c.lastTurn
			return
		}
	}
}
