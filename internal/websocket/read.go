package websocket

import (
	"errors"
	"fmt"
	"io"
)

// readLoop is the connection's reading goroutine. It is also the last to go: it ends when the socket fails or is closed,
// by whomever, and then tells the handler.
//
// Its stack is what an idle connection costs most, so it waits near its root: what needs more stack is called from here
// and has returned before the next wait. See renew.go for what Message does to the stack.
func (c *Conn) readLoop(early []byte) {
	c.receive(early)
	for !c.outgrown() {
		data, err := c.sock.read()
		if err != nil {
			c.over(err)
			return
		}
		c.receive(data)
		c.sock.release()
	}
	c.server.connections.Go(func() { c.readLoop(nil) })
}

// receive takes bytes that came.
//
//go:noinline
func (c *Conn) receive(data []byte) {
	c.hearing.Store(hearingBusy)
	if c.listening() {
		c.parse(data)
	}
	c.hearing.Store(hearingHeard)
}

// parse hands on what the bytes complete.
func (c *Conn) parse(data []byte) {
	if c.parser == nil {
		c.parser = c.server.parsers.Get().(*parser)
		c.parser.inflates = c.deflate
	}
	for len(data) > 0 {
		ev, rest, err := c.parser.next(data)
		if err != nil {
			c.fail(err)
			return
		}
		data = rest
		if c.messageSince.Load() != 0 && !c.parser.underway() {
			c.messageSince.Store(0)
		}
		if !c.handle(ev) {
			return
		}
	}
	if c.parser.underway() {
		c.noteUnderway()
		return
	}
	c.server.parsers.Put(c.parser)
	c.parser = nil
}

// noteUnderway notes since when a message or frame has been incomplete.
func (c *Conn) noteUnderway() {
	if c.messageSince.Load() != 0 {
		return
	}
	w := c.server.wheel
	now := w.now.Load()
	c.messageSince.Store(now)
	w.expect(c, now+w.messageLimit)
}

// handle acts on an event and reports whether there is any use in parsing on.
func (c *Conn) handle(ev event) bool {
	switch ev.op {
	case OpText, OpBinary:
		c.deliver(ev.op, ev.payload)
	case OpPing:
		c.owePong(ev.payload)
	case OpClose:
		theirs, err := parseClose(ev.payload)
		if err != nil {
			c.fail(err)
		} else {
			c.peerClosed(theirs)
		}
		return false
	}
	return true
}

// deliver hands a message to the handler, unless the connection is closing.
func (c *Conn) deliver(op Opcode, payload []byte) {
	c.mu.Lock()
	open := c.phase == phaseOpen
	c.mu.Unlock()
	if !open {
		return
	}
	c.growth.delivered = true
	if err := c.handler.Message(op, payload); err != nil {
		c.closeForError(err)
	}
}

// owePong makes a pong due. It replaces one that was due and not sent (RFC 6455 section 5.5.3 allows that), so a peer
// that pings and does not read costs one payload.
func (c *Conn) owePong(payload []byte) {
	c.mu.Lock()
	if c.pong == nil {
		c.pong = new([]byte)
	}
	*c.pong = append((*c.pong)[:0], payload...)
	c.mu.Unlock()
	c.Notify()
}

// listening reports whether what the peer says still counts.
func (c *Conn) listening() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.failed && !c.peerDone
}

// over ends the connection after its socket failed with err.
func (c *Conn) over(err error) {
	if errors.Is(err, io.EOF) {
		c.awaitParting()
		c.die(ErrNoClose)
	} else {
		c.die(fmt.Errorf("websocket: read: %w", err))
	}
	c.sock.close()
	c.stopTurns()
	c.server.wheel.remove(c)
	c.handler.Closed(c.end.cause)
}
