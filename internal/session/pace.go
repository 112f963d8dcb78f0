package session

import "time"

// pace holds a subscription back, so that there is at least some time between two deliveries. What changes meanwhile is
// conflated in the channel, not queued here. It is guarded by the link's lock; a nil pace holds nothing back.
type pace struct {
	every     time.Duration
	next      time.Time // the earliest time of the next delivery
	delivered bool      // something since then
	waiting   bool      // a timer runs that wakes the connection at next
}

// early reports whether it is too early for a delivery. The connection is then woken in time.
func (p *pace) early(l *Link) bool {
	if p == nil {
		return false
	}
	left := time.Until(p.next)
	if left <= 0 {
		p.waiting = false
		return false
	}
	if !p.waiting {
		p.waiting = true
		time.AfterFunc(left, l.Wake)
	}
	return true
}

// deliver notes that something is delivered.
func (p *pace) deliver() {
	if p != nil {
		p.delivered = true
	}
}

// rest ends a delivery: there is nothing more for now.
func (p *pace) rest() {
	if p != nil && p.delivered {
		p.next, p.delivered = time.Now().Add(p.every), false
	}
}
