package websocket

import "errors"

// phase is how far the connection is on its way to our close frame. It only goes up.
type phase uint8

const (
	phaseOpen     phase = iota
	phaseDraining       // the handler is asked for what is left, then the close frame goes out
	phaseParting        // the close frame goes out next
	phaseSent           // the close frame is the last of what is being written
	phaseGone           // the socket took it
)

// Close begins the closing handshake and returns at once: Fill is called until it has no more (within bounds of time and
// bytes), then a close frame is sent, and the peer's is waited for. Messages that still come are dropped. Only the first
// call counts. A code that may not be sent becomes CloseInternal, and a reason is cut to 123 bytes.
func (c *Conn) Close(code uint16, reason string) {
	closing := sendableClose(code, reason)
	c.closeFor(closing, closing)
}

// closeForError closes because of an error that the handler returned.
func (c *Conn) closeForError(err error) {
	var closing *CloseError
	if errors.As(err, &closing) {
		c.Close(closing.Code, closing.Reason)
		return
	}
	c.closeFor(&CloseError{Code: CloseInternal}, err)
}

// closeFor closes with a close frame and remembers the cause.
func (c *Conn) closeFor(closing *CloseError, cause error) {
	c.mu.Lock()
	first := c.phase == phaseOpen
	if first {
		c.partLocked(phaseDraining, closing, cause)
	}
	c.mu.Unlock()
	if first {
		c.hurry()
	}
}

// fail ends the connection of a peer that broke the protocol (RFC 6455 section 7.1.7). It is still told what the handler
// owes it for what it said before, then a close frame follows; what it says from now on is thrown away unparsed.
func (c *Conn) fail(why *CloseError) {
	c.mu.Lock()
	c.failed = true
	sent := c.phase >= phaseSent
	if !sent {
		c.partLocked(max(c.phase, phaseDraining), why, why)
	}
	c.mu.Unlock()
	if sent {
		c.Abort(why) // it was told to go already
		return
	}
	c.hurry()
}

// peerClosed answers the peer's close frame with the same code, or, where ours is gone, ends the connection.
func (c *Conn) peerClosed(theirs *CloseError) {
	c.mu.Lock()
	c.peerDone = true
	before := c.phase
	if before < phaseSent {
		c.partLocked(phaseParting, &CloseError{Code: theirs.Code}, theirs)
	}
	c.mu.Unlock()
	switch {
	case before < phaseSent:
		c.hurry()
	case before == phaseGone:
		c.finish()
	}
}

// partLocked sets what close frame to send, and how soon.
func (c *Conn) partLocked(how phase, closing *CloseError, cause error) {
	c.phase = how
	end := c.endLocked()
	end.parting = closing
	if end.cause == nil {
		end.cause = cause
	}
}

// hurry sees that the next step of closing is taken, within its time limit.
func (c *Conn) hurry() {
	c.limitClosing()
	c.Notify()
}

// limitClosing gives the present step of closing until CloseTimeout from now.
func (c *Conn) limitClosing() {
	w := c.server.wheel
	by := w.now.Load() + w.closeLimit
	c.closeBy.Store(by)
	w.expect(c, by)
}

// partingGone goes on once the socket took our close frame. The peer's ends the connection, if it is there. A peer that
// failed is told by the end of our side and read on to the end of its own: to close with bytes unread would reset the
// connection, and could take the close frame from it.
func (c *Conn) partingGone() {
	c.mu.Lock()
	c.phase = phaseGone
	finished, failed := c.peerDone || c.peerEnd, c.failed
	c.mu.Unlock()
	if finished || failed && !c.sock.closeWrite() {
		c.finish()
		return
	}
	c.limitClosing()
}

// awaitParting waits, after the peer ended its side of TCP, until our close frame is gone if one is on its way: the peer
// may still listen.
func (c *Conn) awaitParting() {
	c.mu.Lock()
	c.peerEnd = true
	onItsWay := c.phase > phaseOpen && c.phase < phaseGone
	c.mu.Unlock()
	if onItsWay {
		<-c.Done()
	}
}
