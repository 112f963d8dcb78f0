//go:build linux

package crowd

import (
	"context"
	"fmt"
	"time"
)

// Order says who the clients of a crowd are.
type Order struct {
	URL     string  `json:"url"`
	Dialect Dialect `json:"dialect"`
	Clients int     `json:"clients"`
	First   int     `json:"first"` // number of the first client; the others follow

	// Client i subscribes to Each channels of those there are, from the (i x Each)-th on: see ChannelName.
	Channel  string   `json:"channel"`
	Channels int      `json:"channels"`
	Each     int      `json:"each"`
	Since    []string `json:"since,omitempty"` // a position in each of the channels

	// Expect is how many deliveries a client must have before it counts as arrived. More than that is an error.
	Expect int `json:"expect,omitempty"`
	// Unordered says that publications are not numbered in the order of their channel.
	Unordered bool `json:"unordered,omitempty"`
	// Underway is how many may be on their way to a subscription at once. Zero: all.
	Underway int `json:"underway,omitempty"`
	// Stuck is how many clients, the first ones, read nothing once they have arrived.
	Stuck int `json:"stuck,omitempty"`
	// Loops is how many loops wait for the sockets. Zero: one.
	Loops int `json:"loops,omitempty"`
}

// ChannelName returns the name of the i-th of n channels: with one, it is the name itself.
func ChannelName(name string, i, n int) string {
	if n <= 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, i)
}

// Arrivals says how the clients of a crowd got to their subscriptions.
type Arrivals struct {
	Arrived int           `json:"arrived"`
	Failed  int           `json:"failed"`
	Reason  string        `json:"reason,omitempty"` // of the first failure
	Took    time.Duration `json:"took"`             // from the first attempt to the last arrival
	Each    *Histogram    `json:"each"`             // from a client's attempt to its arrival
}

// Tally is what the clients of a crowd got since the last tally.
type Tally struct {
	Deliveries int64      `json:"deliveries"` // to clients that are not stuck
	ToStuck    int64      `json:"to_stuck"`
	Bytes      int64      `json:"bytes"`   // from the server, without what TLS adds
	Latency    *Histogram `json:"latency"` // from publishing to delivery, to clients that are not stuck
	Last       int64      `json:"last"`    // Stamp of the last delivery
	Gaps       int        `json:"gaps"`    // frames that told of publications left out
	Errors     int        `json:"errors"`  // lost connections, error frames, and deliveries out of order, repeated or left out
	Reason     string     `json:"reason,omitempty"`
}

// Crowd is many clients. Its methods may be called concurrently.
type Crowd interface {
	// Arrive connects the clients and waits until all have arrived or failed, or ctx ends: then the others have failed. It is
	// called once. An error says that the crowd itself does not work.
	Arrive(ctx context.Context) (Arrivals, error)
	// Arrived returns how many clients have arrived so far, and Delivered how many deliveries there were to those that are
	// not stuck.
	Arrived() int64
	Delivered() int64
	// News is sent to after Delivered has changed. One value may stand for many changes.
	News() <-chan struct{}
	// Tally returns what has come since the last call.
	Tally() (Tally, error)
	// Unstick has the stuck clients read.
	Unstick() error
	// Say has every client that has arrived say one more frame. It does not wait for answers.
	Say(frame string) error
	// Close cuts all connections and waits. It is idempotent.
	Close()
}

func newTally() Tally { return Tally{Latency: NewHistogram()} }

// fail counts errors, and keeps the first reason.
func (t *Tally) fail(n int, reason string) {
	t.Errors += n
	if t.Reason == "" {
		t.Reason = reason
	}
}

// add counts what other counted.
func (t *Tally) add(other Tally) {
	t.Deliveries += other.Deliveries
	t.ToStuck += other.ToStuck
	t.Bytes += other.Bytes
	t.Latency.Add(other.Latency)
	t.Last = max(t.Last, other.Last)
	t.Gaps += other.Gaps
	t.fail(other.Errors, other.Reason)
}

// add counts what other counted; both began at about the same time.
func (a *Arrivals) add(other Arrivals) {
	a.Arrived += other.Arrived
	a.Failed += other.Failed
	if a.Reason == "" {
		a.Reason = other.Reason
	}
	a.Took = max(a.Took, other.Took)
	a.Each.Add(other.Each)
}
