package cluster

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line is the network between a server and what it connects to, such as a node and its Redis. It can be cut, fall silent,
// lead elsewhere, and lose one message of a channel.
type line struct {
	listener  net.Listener
	running   sync.WaitGroup
	lost      atomic.Int64  // messages that it lost
	swallowed chan struct{} // holds a token once answers did not arrive

	mu sync.Mutex
	// Guarded by mu.
	target string
	mode   lineMode
	losing bool // lose the next message
	open   map[net.Conn]struct{}
}

// lineMode is what a line does with what is sent.
type lineMode uint8

const (
	lineOpen   lineMode = iota
	lineCut             // connections end at once
	lineSilent          // connections stay, and nothing arrives
	lineDeaf            // connections stay, and no answer arrives
)

// startLine starts a line to target that lasts as long as the test.
func startLine(t *testing.T, target string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &line{listener: l, target: target, open: make(map[net.Conn]struct{}), swallowed: make(chan struct{}, 1)}
	n.running.Go(n.accept)
	t.Cleanup(func() {
		_ = l.Close() // ends accept
		n.set(lineCut)
		n.running.Wait()
	})
	return n
}

func (l *line) addr() string { return l.listener.Addr().String() }

// set changes the mode, also for the connections that there are. What a line swallowed is gone: when its mode changes, those
// connections are of no use, and end.
func (l *line) set(mode lineMode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mode == lineCut || l.mode >= lineSilent {
		l.endAllLocked()
	}
	l.mode = mode
}

// lead makes the line go to another target, as a name or an address that moves does.
func (l *line) lead(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
	l.endAllLocked()
}

func (l *line) endAllLocked() {
	for c := range l.open {
		_ = c.Close() // wakes the goroutines of the connection
	}
}

// loseOne makes the line lose the next message of a channel that Redis sends.
func (l *line) loseOne() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losing = true
}

func (l *line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.carry(near) })
	}
}

func (l *line) carry(near net.Conn) {
	defer near.Close()
	l.mu.Lock()
	target := l.target
	l.mu.Unlock()
	far, err := net.Dial("tcp", target)
	if err != nil { // it is not there, which is part of some tests
		return
	}
	defer far.Close()
	if !l.add(near, far) {
		return
	}
	defer l.remove(near, far)
	var up sync.WaitGroup
	up.Go(func() { l.pump(far, near, l.asked) })
	l.pump(near, far, l.answered)
	up.Wait()
}

func (l *line) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode == lineCut {
		return false
	}
	for _, c := range conns {
		l.open[c] = struct{}{}
	}
	return true
}

func (l *line) remove(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.open, c)
	}
}

// pump carries bytes one way, as far as filter lets them, until either end is gone, and then ends both.
func (l *line) pump(to, from net.Conn, filter func([]byte) []byte) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if _, err := to.Write(filter(buf[:n])); err != nil {
			return
		}
	}
}

// asked returns what arrives at the target of what is sent to it.
func (l *line) asked(b []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode == lineSilent {
		return nil
	}
	return b
}

// answered returns what arrives of what the target sends: without a message of a channel, if one is to be lost.
func (l *line) answered(b []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode >= lineSilent {
		select {
		case l.swallowed <- struct{}{}:
		default:
		}
		return nil
	}
	if !l.losing {
		return b
	}
	rest, found := withoutMessage(b)
	if found {
		l.losing = false
		l.lost.Add(1)
	}
	return rest
}
