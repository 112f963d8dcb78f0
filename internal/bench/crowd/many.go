//go:build linux

package crowd

import (
	"context"
	"os/exec"
	"sync"

	"github.com/earshot/earshot/internal/bench/process"
)

// spareDescriptors are those that a load process needs besides its clients'.
const spareDescriptors = 200

// New prepares a crowd; the caller closes it. It is in this process if the descriptors are enough, and otherwise in as many
// processes as it takes, each started by command, which must call Serve.
func New(o Order, command func() (*exec.Cmd, error)) (Crowd, error) {
	return newCrowd(o, command, process.MaxDescriptors()-spareDescriptors)
}

func newCrowd(o Order, command func() (*exec.Cmd, error), most int) (Crowd, error) {
	if o.Clients <= most {
		return newLocal(o)
	}
	return newMany(o, command, most)
}

// NewApart is New with the crowd in a process of its own in any case.
func NewApart(o Order, command func() (*exec.Cmd, error)) (Crowd, error) {
	return newMany(o, command, process.MaxDescriptors()-spareDescriptors)
}

func newMany(o Order, command func() (*exec.Cmd, error), most int) (Crowd, error) {
	m := &many{counters: newCounters(o.Clients)}
	for first := 0; first < o.Clients; first += most {
		part := o
		part.First, part.Clients = o.First+first, min(most, o.Clients-first)
		cmd, err := command()
		if err == nil {
			err = m.start(cmd, part)
		}
		if err != nil {
			m.Close()
			return nil, err
		}
	}
	return m, nil
}

// many is a crowd in several processes.
type many struct {
	*counters
	parts []*remote
	once  sync.Once
}

func (m *many) start(cmd *exec.Cmd, o Order) error {
	r, err := startRemote(cmd, o, m.counters)
	if err == nil {
		m.parts = append(m.parts, r)
	}
	return err
}

func (m *many) Arrive(ctx context.Context) (Arrivals, error) {
	sum := Arrivals{Each: NewHistogram()}
	all, err := m.askAll(ctx, request{Do: doArrive})
	for _, r := range all {
		sum.add(*r.Arrivals)
	}
	return sum, err
}

func (m *many) Tally() (Tally, error) {
	sum := newTally()
	all, err := m.askAll(context.Background(), request{Do: doTally})
	for _, r := range all {
		sum.add(*r.Tally)
	}
	return sum, err
}

func (m *many) Unstick() error {
	_, err := m.askAll(context.Background(), request{Do: doUnstick})
	return err
}

func (m *many) Say(frame string) error {
	_, err := m.askAll(context.Background(), request{Do: doSay, Frame: frame})
	return err
}

// askAll asks all processes at once. With an error there are no replies.
func (m *many) askAll(ctx context.Context, q request) ([]reply, error) {
	replies, failures := make([]reply, len(m.parts)), make([]error, len(m.parts))
	var asking sync.WaitGroup
	for i, r := range m.parts {
		asking.Go(func() { replies[i], failures[i] = r.ask(ctx, q) })
	}
	asking.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return replies, nil
}

func (m *many) Close() {
	m.once.Do(func() {
		var closing sync.WaitGroup
		for _, r := range m.parts {
			closing.Go(r.close)
		}
		closing.Wait()
	})
}
