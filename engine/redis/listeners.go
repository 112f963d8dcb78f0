package redis

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// refreshPause is the shortest time between two looks at the cluster.
const refreshPause = 100 * time.Millisecond

// listeners are one for each master of a cluster, or the only one.
type listeners struct {
	engine  *Engine
	cluster bool
	options rueidis.ClientOption // of connections to one master

	stale chan struct{} // holds a token when the cluster may have changed
	tasks sync.WaitGroup

	mu     sync.RWMutex
	byName map[string]*listener // by address and slots
	bySlot []*listener          // of a cluster; nil where no master is known
	lost   trouble              // the cluster's masters are not known
	only   *listener            // where there is no cluster
}

// newListeners returns the listeners of what client connects to.
func newListeners(e *Engine, settings rueidis.ClientOption) *listeners {
	l := &listeners{engine: e, options: settings, stale: make(chan struct{}, 1), byName: make(map[string]*listener)}
	l.cluster = e.client.Mode() == rueidis.ClientModeCluster
	if l.cluster {
		l.lost.note(errNotConnected)
	} else {
		l.only = newListener(l, e.client, "")
	}
	l.options.ForceSingleClient = true
	return l
}

// run keeps a listener for each master until ctx ends.
func (l *listeners) run(ctx context.Context) {
	defer l.tasks.Wait()
	if !l.cluster {
		l.only.run(ctx)
		return
	}
	ticker := time.NewTicker(l.engine.options.CheckInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := l.refresh(ctx); err != nil && ctx.Err() == nil {
			l.engine.options.Logger.Warn("cannot ask the cluster for its slots", "error", err)
		}
		pause(ctx, refreshPause)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-l.stale:
		}
	}
}

// doubt has the cluster looked at again.
func (l *listeners) doubt() {
	select {
	case l.stale <- struct{}{}:
	default:
	}
}

// refresh starts listeners for masters that are new or have other slots, and ends those that are no more.
func (l *listeners) refresh(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, l.engine.options.Timeout)
	defer cancel()
	host, _, _ := net.SplitHostPort(l.options.InitAddress[0])
	ranges, err := readSlots(call, l.engine.client, host)
	if err != nil {
		return err
	}
	slots, addresses := make(map[string]string), make(map[string]string)
	for _, r := range ranges {
		slots[r.address] += fmt.Sprintf(" %d-%d", r.from, r.to)
	}
	for address, s := range slots {
		addresses[address] = address + s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bySlot := make([]*listener, slotCount)
	wanted := make(map[string]*listener)
	for _, r := range ranges {
		name := addresses[r.address]
		if wanted[name] == nil {
			wanted[name] = l.keepLocked(ctx, name, r.address)
		}
		for slot := r.from; slot <= r.to; slot++ {
			bySlot[slot] = wanted[name]
		}
	}
	for name, one := range l.byName {
		if wanted[name] == nil {
			one.stop()
		}
	}
	l.byName, l.bySlot = wanted, bySlot
	l.lost.note(nil)
	return nil
}

// keepLocked returns the listener of the name, started if need be.
func (l *listeners) keepLocked(ctx context.Context, name, address string) *listener {
	if one := l.byName[name]; one != nil {
		return one
	}
	one := newListener(l, nil, address)
	ctx, one.stop = context.WithCancel(ctx)
	l.tasks.Go(func() { one.run(ctx) })
	return one
}

// of returns the listener for a key or feed, or nil while no master of its slot is known.
func (l *listeners) of(key string) *listener {
	if !l.cluster {
		return l.only
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.bySlot == nil {
		return nil
	}
	return l.bySlot[slotOf(key)]
}

// subscribe returns once Redis sends the feed to this node. While a cluster changes it tries again, until ctx ends.
func (l *listeners) subscribe(ctx context.Context, name string) error {
	err := errNotConnected
	for {
		if one := l.of(name); one != nil {
			if err = one.subscribe(ctx, name); err == nil && l.of(name) == one {
				return nil
			}
		}
		if !l.cluster && err != nil {
			return err
		}
		l.doubt()
		if pause(ctx, refreshPause/4); ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// unsubscribe returns once Redis does not send the feed any more. Without a connection it does not.
func (l *listeners) unsubscribe(ctx context.Context, name string) {
	if one := l.of(name); one != nil {
		one.unsubscribe(ctx, name)
	}
}

// trouble says why some feeds do not come, or some calls are not answered.
func (l *listeners) trouble() trouble {
	if !l.cluster {
		return l.only.trouble()
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := l.lost
	for _, one := range l.byName {
		if t := one.trouble(); t.err != nil {
			t.err = fmt.Errorf("%s: %w", one.address, t.err)
			all = all.and(t)
		}
	}
	return all
}

// dial connects to one master.
func (l *listeners) dial(address string) (rueidis.Client, error) {
	options := l.options
	options.InitAddress = []string{address}
	options.SelectDB = 0
	return rueidis.NewClient(options)
}
