//go:build linux

package crowd

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// loopBufferBytes is what is read at once.
	loopBufferBytes = maxFrameBytes + 64<<10
	eventsAtOnce    = 256
	// wakeSlot is the eventfd among the events' data; clients are named by their index.
	wakeSlot = -1
)

// loop waits for the sockets of some clients. One goroutine runs it.
type loop struct {
	// Set by newLoop, then read-only.
	order     *Order
	to        netip.AddrPort
	endpoint  endpoint
	readyMark []byte
	epoll     int
	wake      int // eventfd
	counters  *counters
	ctx       context.Context // ends with the loop
	stop      context.CancelFunc
	shaking   chan struct{} // a place for each TLS handshake under way
	securing  sync.WaitGroup

	// Owned by run, with mu held.
	buf  []byte
	now  int64 // Stamp of the batch of frames
	hint int   // where the last mark was

	mu sync.Mutex
	// Guarded by mu.
	clients  []client
	numbers  []int // of the clients that have not been started
	underway int
	arrivals Arrivals
	tally    Tally
	begun    bool // clients may connect
	closing  bool

	lastArrival int64 // Stamp; guarded by mu
}

// newLoop returns a loop for the clients with these numbers.
func newLoop(o *Order, e endpoint, to netip.AddrPort, numbers []int, shared *counters) (*loop, error) {
	l := &loop{
		order: o, endpoint: e, to: to, readyMark: []byte(o.Dialect.Ready), counters: shared,
		buf: make([]byte, loopBufferBytes), numbers: numbers, clients: make([]client, 0, len(numbers)),
		arrivals: Arrivals{Each: NewHistogram()}, tally: newTally(),
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.shaking = make(chan struct{}, shakingAtOnce)
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		l.stop()
		return nil, fmt.Errorf("open an epoll: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot}
		err = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.wake, &event)
	}
	if err != nil {
		l.stop()
		_ = unix.Close(l.epoll)
		return nil, fmt.Errorf("open an eventfd: %w", err)
	}
	return l, nil
}

// run serves the sockets until stop.
func (l *loop) run() {
	events := make([]unix.EpollEvent, eventsAtOnce)
	for {
		n, err := unix.EpollWait(l.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			n = 0 // cannot be: the descriptor is ours and events is not empty
		}
		if !l.serve(events[:max(n, 0)]) {
			break
		}
	}
	l.stop()
	l.securing.Wait()
	l.closeAll()
}

// serve acts on events and reports whether to go on.
func (l *loop) serve(events []unix.EpollEvent) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	before := l.tally.Deliveries
	for _, ev := range events {
		if ev.Fd == wakeSlot {
			var b [8]byte
			_, _ = unix.Read(l.wake, b[:]) // only to make it quiet
			continue
		}
		c := &l.clients[ev.Fd]
		if c.stage == stageGone || c.stage == stageSecuring {
			continue
		}
		if err := l.ready(c); err != nil {
			l.lose(c, err)
		}
	}
	l.startLocked()
	if d := l.tally.Deliveries - before; d > 0 {
		l.counters.deliver(d)
	}
	return true
}

// watch says what of a client's socket the loop waits for.
func (l *loop) watch(c *client, op int, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: c.slot}
	if err := unix.EpollCtl(l.epoll, op, c.fd, &event); err != nil {
		return fmt.Errorf("watch a socket: %w", err)
	}
	return nil
}

// lose ends a client.
func (l *loop) lose(c *client, err error) {
	if c.fd >= 0 {
		_ = unix.Close(c.fd) // there is nothing to do about an error
	}
	arrived := c.stage == stageArrived
	c.stage, c.rest = stageGone, nil
	if arrived {
		l.tally.fail(1, err.Error())
		return
	}
	l.underway--
	l.arrivals.Failed++
	if l.arrivals.Reason == "" {
		l.arrivals.Reason = err.Error()
	}
	l.counters.settle()
}

// rouse has run look at what there is to do.
func (l *loop) rouse() {
	one := [8]byte{1}
	_, _ = unix.Write(l.wake, one[:]) // if it has no room, run is awake
}

func (l *loop) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.clients {
		if c := &l.clients[i]; c.stage != stageGone && c.fd >= 0 {
			_ = unix.Close(c.fd) // there is nothing to do about an error
		}
	}
	l.clients = nil
	_ = unix.Close(l.wake)
	_ = unix.Close(l.epoll)
}
