//go:build linux

package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/bench/process"
)

// request is what a crowd's process is asked: an order first, then one thing at a time.
type request struct {
	Order   *Order        `json:"order,omitempty"`
	Do      string        `json:"do,omitempty"` // one of the words below
	Timeout time.Duration `json:"timeout,omitempty"`
	Frame   string        `json:"frame,omitempty"` // to say
}

const (
	doArrive  = "arrive"
	doTally   = "tally"
	doUnstick = "unstick"
	doSay     = "say"
)

// reply is what it says: counts, whenever they have changed, and one answer to each request.
type reply struct {
	Counts   *counts   `json:"counts,omitempty"`
	Arrivals *Arrivals `json:"arrivals,omitempty"`
	Tally    *Tally    `json:"tally,omitempty"`
	Error    string    `json:"error,omitempty"`
}

type counts struct {
	Arrived   int64 `json:"arrived"`
	Delivered int64 `json:"delivered"`
}

// remote is a crowd in a process of its own.
type remote struct {
	child   *process.Child
	answers chan reply
	reading sync.WaitGroup

	mu  sync.Mutex    // held while a request waits for its answer
	say *json.Encoder // guarded by mu
}

// startRemote runs command, which must call Serve. Its counts are added to shared.
func startRemote(command *exec.Cmd, o Order, shared *counters) (*remote, error) {
	child, err := process.Start(command)
	if err != nil {
		return nil, err
	}
	r := &remote{child: child, answers: make(chan reply, 1), say: json.NewEncoder(child.Stdin)}
	r.reading.Go(func() { r.read(shared) })
	if _, err := r.ask(context.Background(), request{Order: &o}); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// read takes what the process says until it ends.
func (r *remote) read(shared *counters) {
	defer close(r.answers)
	var last counts
	for decoder := json.NewDecoder(r.child.Stdout); ; {
		var said reply
		if err := decoder.Decode(&said); err != nil {
			return
		}
		if c := said.Counts; c != nil {
			shared.arrived.Add(c.Arrived - last.Arrived)
			shared.deliver(c.Delivered - last.Delivered)
			last = *c
			continue
		}
		r.answers <- said // there is room: one answer for one request
	}
}

// ask makes one request and waits for its answer.
func (r *remote) ask(ctx context.Context, q request) (reply, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if deadline, ok := ctx.Deadline(); ok {
		q.Timeout = time.Until(deadline)
	}
	if err := r.say.Encode(q); err != nil {
		return reply{}, fmt.Errorf("ask a load process: %w", err)
	}
	said, ok := <-r.answers
	if !ok {
		<-r.child.Exited()
		return reply{}, r.child.Failure()
	}
	if said.Error != "" {
		return reply{}, errors.New(said.Error)
	}
	return said, nil
}

func (r *remote) close() {
	r.child.Stop(context.Background())
	r.reading.Wait()
}
