//go:build linux

package crowd

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// startLocked begins to connect as many as may be under way, some at a time, so that answers are read meanwhile.
func (l *loop) startLocked() {
	limit := l.order.Underway
	for begun := 0; l.begun && len(l.numbers) > 0 && (limit == 0 || l.underway < limit); begun++ {
		if begun == eventsAtOnce {
			l.rouse()
			return
		}
		number := l.numbers[0]
		l.numbers = l.numbers[1:]
		l.underway++
		l.clients = append(l.clients, client{number: number, slot: int32(len(l.clients)), fd: -1, began: Stamp()})
		c := &l.clients[len(l.clients)-1] // stays there: there is room for all
		if err := l.connect(c); err != nil {
			l.lose(c, err)
		}
	}
}

func (l *loop) connect(c *client) (err error) {
	if c.fd, err = dial(l.to, c.number, l.stuck(c)); err != nil {
		return err
	}
	return l.watch(c, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
}

// connected goes on with a socket that has connected, or failed to.
func (l *loop) connected(c *client) error {
	if err := connected(c.fd); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if l.endpoint.secure {
		return l.secure(c)
	}
	return l.shake(c)
}

// shake sends the handshake.
func (l *loop) shake(c *client) error {
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

// arriveIfComplete counts a client once it has its subscriptions and the deliveries that it is to wait for.
func (l *loop) arriveIfComplete(c *client) {
	o := l.order
	wanted := o.Each
	if len(o.Dialect.Subscribe) == 0 {
		wanted = min(1, o.Each)
	}
	if o.Dialect.Ready != "" && c.joined < wanted || c.delivered < o.Expect {
		return
	}
	c.stage = stageArrived
	now := Stamp()
	l.underway--
	l.arrivals.Arrived++
	l.arrivals.Each.Record(now - c.began)
	l.lastArrival = now
	l.counters.arrived.Add(1)
	l.counters.settle()
	if l.stuck(c) {
		if err := l.watch(c, unix.EPOLL_CTL_MOD, 0); err != nil {
			l.lose(c, err)
		}
	}
}
