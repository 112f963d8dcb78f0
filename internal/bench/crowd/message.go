//go:build linux

package crowd

import (
	"bytes"
	"fmt"
)

// frame takes one frame from the server.
func (l *loop) frame(c *client, op byte, payload []byte) error {
	switch op {
	case opPing:
		return c.write(appendFrame(nil, opPong, payload))
	case opClose:
		return fmt.Errorf("the server closed: %q", payload[min(2, len(payload)):])
	case opPong:
		return nil
	}
	return l.message(c, payload)
}

func (l *loop) message(c *client, payload []byte) error {
	d := &l.order.Dialect
	if c.stage == stageGreeting && bytes.Contains(payload, []byte(d.Welcome)) {
		return l.subscribe(c)
	}
	if c.stage == stageJoining && d.Ready != "" {
		c.joined += bytes.Count(payload, l.readyMark)
	}
	counted := l.deliveries(c, payload) || l.unmarked(c, payload)
	if c.stage == stageJoining {
		l.arriveIfComplete(c)
	}
	if counted {
		return nil
	}
	if d.tellsGap(payload) {
		l.tally.Gaps++
		if l.order.Expect > 0 {
			return fmt.Errorf("the server left publications out: %.200q", payload)
		}
	}
	if answer, ok := d.Answers[string(payload)]; ok {
		return c.write(appendFrame(nil, opText, []byte(answer)))
	}
	if d.Failed != "" && bytes.Contains(payload, []byte(d.Failed)) {
		return fmt.Errorf("the server said %.200q", payload)
	}
	return nil
}

// deliveries counts the publications in payload and reports whether there was one.
func (l *loop) deliveries(c *client, payload []byte) bool {
	found := false
	for {
		m, rest, at, ok := nextMark(payload, l.hint)
		if !ok {
			return found
		}
		found, payload, l.hint = true, rest, at
		l.delivery(c, m)
	}
}

// unmarked counts the publications in payload that have no mark, and reports whether there was one.
func (l *loop) unmarked(c *client, payload []byte) bool {
	part := l.order.Dialect.Unmarked
	if part == "" {
		return false
	}
	n := bytes.Count(payload, []byte(part))
	c.delivered += n
	l.tally.Deliveries += int64(n)
	return n > 0
}

func (l *loop) delivery(c *client, m mark) {
	c.delivered++
	if l.stuck(c) {
		l.tally.ToStuck++
		return
	}
	l.tally.Deliveries++
	l.tally.Last = l.now
	l.tally.Latency.Record(l.now - m.stamp)
	if l.order.Each != 1 || l.order.Unordered {
		return
	}
	if c.seq != 0 && m.seq != c.seq+1 {
		l.tally.fail(1, fmt.Sprintf("publication %d came after %d", m.seq, c.seq))
	}
	c.seq = m.seq
	if l.order.Expect > 0 && c.delivered > l.order.Expect {
		l.tally.fail(1, fmt.Sprintf("more than %d deliveries", l.order.Expect))
	}
}
