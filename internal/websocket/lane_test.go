package websocket

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLanes notifies a connection that nobody serves, and looks in which lane it gets its turn.
func TestLanes(t *testing.T) {
	notify := map[byte]func(*Conn){'s': (*Conn).Notify, 'l': (*Conn).NotifyLater}
	for _, test := range []struct {
		notices string
		want    lane
	}{
		{"s", soon}, {"l", later}, {"ss", soon}, {"ll", later}, {"sl", soon}, {"ls", soon}, {"lsl", soon},
	} {
		s := NewServer(Config{Workers: 1})
		c := newConn(s, nil, agreement{})
		c.turn.Store(turnIdle)
		for i := range test.notices {
			notify[test.notices[i]](c)
		}
		turns := 0
		for l := range lanes {
			for popped := s.workers[0][l].pop(); popped != nil; popped = s.workers[0][l].pop() {
				if popped.takeTurn(l) {
					turns++
					if l != test.want {
						t.Errorf("%s: turn in lane %d, want %d", test.notices, l, test.want)
					}
				}
			}
		}
		if turns != 1 {
			t.Errorf("%s: %d turns", test.notices, turns)
		}
	}
}

// TestNewsWithinTurn has news come while somebody has the turn: the next turn is in the lane of the news.
func TestNewsWithinTurn(t *testing.T) {
	for _, test := range []struct {
		name   string
		during func(*Conn)
		more   bool
		want   uint32
	}{
		{"nothing", func(*Conn) {}, false, turnIdle},
		{"more", func(*Conn) {}, true, turnLater},
		{"news", (*Conn).Notify, false, turnSoon},
		{"news for later", (*Conn).NotifyLater, false, turnLater},
		{"both", func(c *Conn) { c.NotifyLater(); c.Notify() }, false, turnSoon},
		{"news and more", (*Conn).Notify, true, turnSoon},
	} {
		c := newConn(NewServer(Config{}), nil, agreement{}) // its turn is taken
		test.during(c)
		c.endTurn(test.more)
		if got := c.turn.Load(); got != test.want {
			t.Errorf("%s: state %d, want %d", test.name, got, test.want)
		}
	}
}

// TestNoNoticeIsLost notifies in both lanes from many goroutines: a Fill follows every notice.
func TestNoNoticeIsLost(t *testing.T) {
	type count struct{ said, filled atomic.Int64 }
	counts := make(map[*owner]*count)
	st := startStation(t, Config{PingInterval: noPings}, func(c *Conn) *owner {
		o, n := newOwner(c), new(count)
		o.onFill = func() { n.filled.Store(n.said.Load()) }
		counts[o] = n // one at a time, and read once all have come
		return o
	})
	var all []*owner
	for range 4 {
		dialPeer(t, st)
		all = append(all, <-st.owners)
	}
	var notifying sync.WaitGroup
	for range 4 {
		notifying.Go(func() {
			for range 5_000 {
				o := all[rand.IntN(len(all))]
				counts[o].said.Add(1)
				if rand.IntN(2) == 0 {
					o.conn.Notify()
				} else {
					o.conn.NotifyLater()
				}
			}
		})
	}
	notifying.Wait()
	for _, n := range counts {
		waitUntil(t, "everything was filled", func() bool { return n.filled.Load() == n.said.Load() })
	}
}
