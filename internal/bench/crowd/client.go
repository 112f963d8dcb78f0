//go:build linux

package crowd

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// stage is how far a client is.
type stage uint8

const (
	stageConnecting stage = iota
	stageShaking          // the handshake is sent
	stageGreeting         // hello is sent, and its answer is awaited
	stageJoining          // subscriptions are sent
	stageArrived
	stageGone
)

// client is one connection. Guarded by its loop's lock.
type client struct {
	fd     int
	number int   // among the order's clients
	slot   int32 // in the loop
	stage  stage
	began  int64  // Stamp of the attempt
	rest   []byte // of what came: not yet a whole frame, or handshake

	joined    int // subscriptions that were answered
	delivered int
	seq       uint64 // of the last delivery, where the client has one channel
}

var errFull = errors.New("the server does not read what its client says")

// stuck reports whether the client is one of those that read nothing.
func (l *loop) stuck(c *client) bool { return c.number < l.order.Stuck }

// ready acts on a socket that is connected, or readable.
func (l *loop) ready(c *client) error {
	if c.stage == stageConnecting {
		return l.shake(c)
	}
	data, err := l.read(c)
	if err != nil || len(data) == 0 {
		return err
	}
	if c.stage == stageShaking {
		rest, ok, err := accepted(data)
		if err != nil || !ok {
			c.keep(data)
			return err
		}
		if err := l.introduce(c); err != nil {
			return err
		}
		data = rest
	}
	l.now = Stamp()
	rest, err := eachFrame(data, func(op byte, payload []byte) error { return l.frame(c, op, payload) })
	c.keep(rest)
	return err
}

// shake sends the handshake.
func (l *loop) shake(c *client) error {
	if err := connected(c.fd); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.stage = stageShaking
	if err := l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN); err != nil {
		return err
	}
	first := ChannelName(l.order.Channel, c.number*l.order.Each%l.order.Channels, l.order.Channels)
	return c.write(l.endpoint.request(l.order.Dialect.Subprotocol, first))
}

// introduce says hello, and subscribes at once if nothing is to be waited for.
func (l *loop) introduce(c *client) error {
	c.stage = stageGreeting
	var out []byte
	for _, text := range l.order.Dialect.Hello {
		out = appendFrame(out, opText, fill(text, "", ""))
	}
	if err := c.write(out); err != nil || l.order.Dialect.Welcome != "" {
		return err
	}
	return l.subscribe(c)
}

// subscribe asks for the client's channels.
func (l *loop) subscribe(c *client) error {
	c.stage = stageJoining
	o := l.order
	var out []byte
	for j := range o.Each {
		i := (c.number*o.Each + j) % o.Channels
		since := ""
		if len(o.Since) > 0 {
			since = o.Since[i]
		}
		for _, text := range o.Dialect.Subscribe {
			out = appendFrame(out, opText, fill(text, ChannelName(o.Channel, i, o.Channels), since))
		}
	}
	if o.Dialect.Ready == "" {
		l.arriveIfComplete(c)
	}
	return c.write(out)
}

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
	marked := l.deliveries(c, payload)
	if c.stage == stageJoining {
		l.arriveIfComplete(c)
	}
	if marked {
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

// read returns what came together with what was left over from before. It is valid until the next call.
func (l *loop) read(c *client) ([]byte, error) {
	n := copy(l.buf, c.rest)
	if n == len(l.buf) {
		return nil, errFrame
	}
	got, err := readFD(c.fd, l.buf[n:])
	switch {
	case err == unix.EAGAIN:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case got == 0:
		return nil, errors.New("the server cut the connection")
	}
	return l.buf[:n+got], nil
}

// keep copies what is not yet whole.
func (c *client) keep(rest []byte) {
	c.rest = append(c.rest[:0], rest...)
}

// write sends a few bytes: there is always room for them, unless the server reads nothing.
func (c *client) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	switch n, err := writeFD(c.fd, p); {
	case err == unix.EAGAIN || err == nil && n < len(p):
		return errFull
	case err != nil:
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
