package session

import (
	"container/heap"
	"time"

	"github.com/earshot/earshot/wire"
)

// expire ends the connections of sessions whose tokens are over. The sessions stay for a while: their clients come back with
// fresh tokens and go on.
func (n *Node) expire(now time.Time) {
	for _, s := range n.sessions.expired(now) {
		if link := s.connection(); link != nil {
			link.end(wire.Bye{Code: wire.CloseTokenExpired})
		}
	}
}

// deadlines are when the tokens of sessions are over, the soonest first: a heap, so that no session costs a timer. A session
// has at most one.
type deadlines struct {
	order deadlineHeap
	of    map[*Session]*deadline
}

type deadline struct {
	session *Session
	at      time.Time
	index   int // in the heap
}

// set gives s a deadline in place of the one it has; a zero time: none.
func (d *deadlines) set(s *Session, at time.Time) {
	have := d.of[s]
	switch {
	case at.IsZero():
		d.remove(s)
	case have != nil:
		have.at = at
		heap.Fix(&d.order, have.index)
	default:
		if d.of == nil {
			d.of = make(map[*Session]*deadline)
		}
		have = &deadline{session: s, at: at}
		d.of[s] = have
		heap.Push(&d.order, have)
	}
}

func (d *deadlines) remove(s *Session) {
	if have := d.of[s]; have != nil {
		heap.Remove(&d.order, have.index)
		delete(d.of, s)
	}
}

// take returns the sessions whose deadline has come, and forgets those.
func (d *deadlines) take(now time.Time) (due []*Session) {
	for len(d.order) > 0 && !d.order[0].at.After(now) {
		s := d.order[0].session
		d.remove(s)
		due = append(due, s)
	}
	return due
}

// deadlineHeap implements heap.Interface.
type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *deadlineHeap) Push(x any) {
	d := x.(*deadline)
	d.index = len(*h)
	*h = append(*h, d)
}

// Pop implements heap.Interface.
func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return d
}
