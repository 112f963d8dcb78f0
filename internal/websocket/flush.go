package websocket

import (
	"fmt"
	"sync"
)

// farewellTurns bounds what a connection says after Close: with turns of 16 KB, 256 KB.
const farewellTurns = 16

// outcome is what follows once the bytes of a turn are written.
type outcome struct {
	more    bool // there is more to say
	parting bool // the last of the bytes was the close frame
}

// leftovers holds buffers for bytes that a socket did not take at once.
var leftovers = sync.Pool{New: func() any { return new([]byte) }}

// flush uses a turn: it gathers what the connection has to say in buf and writes it, without waiting. What the socket does
// not take is left to a goroutine of its own, which ends the turn. It returns buf, maybe grown.
func (c *Conn) flush(buf []byte, limit int) []byte {
	out, then := c.gather(buf[:0], limit)
	if len(out) == 0 {
		c.endTurn(false)
		return out
	}
	n, err := c.sock.tryWrite(out)
	if err != nil || n == len(out) {
		c.written(err, then)
		return out
	}
	rest := leftovers.Get().(*[]byte)
	*rest = append((*rest)[:0], out[n:]...)
	c.server.connections.Go(func() { c.flushRest(rest, then) })
	return out
}

// flushRest waits until the socket has taken the rest of a turn.
func (c *Conn) flushRest(rest *[]byte, then outcome) {
	c.progress()
	w := c.server.wheel
	w.expect(c, w.now.Load()+w.stallLimit)
	err := c.sock.write(*rest, c.progress)
	c.stalledSince.Store(0)
	if cap(*rest) <= maxKeptBytes {
		leftovers.Put(rest)
	}
	c.written(err, then)
}

// progress notes that the socket took bytes just now.
func (c *Conn) progress() { c.stalledSince.Store(c.server.wheel.now.Load()) }

// written ends a turn whose bytes are written, or could not be.
func (c *Conn) written(err error, then outcome) {
	if err != nil {
		c.Abort(fmt.Errorf("websocket: write: %w", err))
	} else if then.parting {
		c.partingGone()
	}
	c.endTurn(then.more && err == nil)
}

// gather appends what the connection has to say: control frames that are due, what the handler fills, and at the very end
// the close frame.
func (c *Conn) gather(dst []byte, limit int) ([]byte, outcome) {
	dst, phase := c.takeControl(dst)
	more := false
	if phase == phaseOpen || phase == phaseDraining {
		dst, more = c.handler.Fill(dst, limit)
	}
	if phase == phaseOpen || phase >= phaseSent {
		return dst, outcome{more: more}
	}
	c.farewell++
	if phase == phaseDraining && more && c.farewell < farewellTurns {
		return dst, outcome{more: true}
	}
	return c.takeParting(dst), outcome{parting: true}
}

// takeControl appends the ping and the pong that are due, and returns the phase that the turn is in.
func (c *Conn) takeControl(dst []byte) ([]byte, phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase >= phaseSent {
		return dst, c.phase
	}
	if c.pong != nil {
		dst = appendControl(dst, OpPong, *c.pong)
		c.pong = nil
	}
	if c.ping {
		dst = AppendHeader(dst, OpPing, 0)
		c.ping = false
	}
	return dst, c.phase
}

// takeParting appends the close frame, after which nothing is sent.
func (c *Conn) takeParting(dst []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = phaseSent
	return appendClose(dst, c.end.parting.Code, c.end.parting.Reason)
}
