//go:build linux

package crowd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// local is a Crowd in this process.
type local struct {
	*counters
	order   Order
	loops   []*loop
	running sync.WaitGroup
	began   int64 // Stamp; set by Arrive
}

// newLocal prepares a crowd; the caller closes it.
func newLocal(o Order) (*local, error) {
	e, err := parseEndpoint(o.URL)
	if err != nil {
		return nil, err
	}
	to, err := resolve(e.addr)
	if err != nil {
		return nil, err
	}
	o.Loops, o.Channels, o.Each = max(o.Loops, 1), max(o.Channels, 1), max(o.Each, 1)
	o.Underway = (o.Underway + o.Loops - 1) / o.Loops // of each loop
	c := &local{counters: newCounters(o.Clients), order: o}
	for i := range o.Loops {
		var numbers []int
		for n := i; n < o.Clients; n += o.Loops {
			numbers = append(numbers, o.First+n)
		}
		l, err := newLoop(&c.order, e, to, numbers, c.counters)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.loops = append(c.loops, l)
		c.running.Go(l.run)
	}
	return c, nil
}

func (c *local) Arrive(ctx context.Context) (Arrivals, error) {
	c.began = Stamp()
	for _, l := range c.loops {
		l.begin()
	}
	if c.order.Clients > 0 {
		select {
		case <-c.allHere:
		case <-ctx.Done():
		}
	}
	sum := Arrivals{Each: NewHistogram()}
	last := c.began
	for _, l := range c.loops {
		l.mu.Lock()
		sum.add(l.arrivals)
		last = max(last, l.lastArrival)
		l.mu.Unlock()
	}
	sum.Took = time.Duration(last - c.began)
	if late := c.order.Clients - sum.Arrived - sum.Failed; late > 0 {
		sum.add(Arrivals{Failed: late, Each: NewHistogram(), Reason: fmt.Sprintf("%d did not arrive in time", late)})
	}
	return sum, nil
}

func (c *local) Tally() (Tally, error) {
	sum := newTally()
	for _, l := range c.loops {
		l.mu.Lock()
		sum.add(l.tally)
		l.tally = newTally()
		l.mu.Unlock()
	}
	return sum, nil
}

func (c *local) Unstick() error {
	for _, l := range c.loops {
		if err := l.unstick(); err != nil {
			return err
		}
	}
	return nil
}

func (c *local) Say(frame string) error {
	message := appendFrame(nil, opText, []byte(frame))
	for _, l := range c.loops {
		l.sayAll(message)
	}
	return nil
}

func (c *local) Close() {
	for _, l := range c.loops {
		l.close()
	}
	c.running.Wait()
}

// begin lets the loop connect its clients.
func (l *loop) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
	l.rouse()
}

// unstick has the loop read from its stuck clients.
func (l *loop) unstick() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.clients {
		c := &l.clients[i]
		if !l.stuck(c) || c.stage != stageArrived {
			continue
		}
		if err := l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN); err != nil {
			return err
		}
	}
	return nil
}

// sayAll writes message to every client that has arrived.
func (l *loop) sayAll(message []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.clients {
		c := &l.clients[i]
		if c.stage != stageArrived {
			continue
		}
		if err := c.write(message); err != nil {
			l.lose(c, err)
		}
	}
}

// close ends the loop. It is idempotent.
func (l *loop) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closing {
		l.closing = true
		l.rouse()
	}
}
