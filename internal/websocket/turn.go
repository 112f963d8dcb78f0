package websocket

// States of Conn.turn. The turn is the right to call Fill and to write; a worker has it, or the goroutine that waits for a
// full socket. So neither needs a lock.
const (
	turnIdle       uint32 = iota // nothing to say
	turnSoon                     // in the worker's list of those who go first
	turnLater                    // in the worker's list of those who go after them
	turnTaken                    // somebody has the turn
	turnNoted                    // somebody has the turn, and there was news since
	turnNotedLater               // the same, but the news may wait
	turnEnding                   // somebody has the turn, and the reading goroutine waits for its end: the last one
	turnOver                     // there will be no more turns
)

// Notify says that there is something to fill. It costs little, never blocks and may be called at any time, any number of
// times: a Fill that begins later is due after each of them, and one Fill may serve many.
func (c *Conn) Notify() {
	for {
		switch state := c.turn.Load(); state {
		case turnIdle, turnLater:
			if c.turn.CompareAndSwap(state, turnSoon) {
				c.workers[soon].push(c)
				return
			}
		case turnTaken, turnNotedLater:
			if c.turn.CompareAndSwap(state, turnNoted) {
				return
			}
		default:
			return
		}
	}
}

// NotifyLater is Notify where others may go first: for one of very many connections that are told the same.
func (c *Conn) NotifyLater() {
	for {
		switch state := c.turn.Load(); state {
		case turnIdle:
			if c.turn.CompareAndSwap(state, turnLater) {
				c.workers[later].push(c)
				return
			}
		case turnTaken:
			if c.turn.CompareAndSwap(state, turnNotedLater) {
				return
			}
		default:
			return
		}
	}
}

// takeTurn begins the turn of a connection from a list of the worker's. It reports false if the connection no longer
// stands there: it is over, or has moved to the other list.
func (c *Conn) takeTurn(from lane) bool {
	standing := turnSoon
	if from == later {
		standing = turnLater
	}
	return c.turn.CompareAndSwap(standing, turnTaken)
}

// endTurn gives the turn back, and queues for the next if there is more to say or news came. Who has more to say than
// fits in a turn lets others go first.
func (c *Conn) endTurn(more bool) {
	if !more && c.turn.CompareAndSwap(turnTaken, turnIdle) {
		return
	}
	for {
		next, to := turnLater, later
		switch state := c.turn.Load(); state {
		case turnEnding:
			close(c.lastTurn)
			return
		case turnNoted:
			next, to = turnSoon, soon
			fallthrough
		default:
			if c.turn.CompareAndSwap(state, next) {
				c.workers[to].push(c)
				return
			}
		}
	}
}

// stopTurns waits for the turn that is taken, if any, and lets no other begin. The socket is closed, so it will not be
// long. Only the reading goroutine calls it, once.
func (c *Conn) stopTurns() {
	for {
		state := c.turn.Load()
		if state == turnIdle || state == turnSoon || state == turnLater {
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
