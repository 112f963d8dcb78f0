package redis

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/earshot/earshot/engine"
)

// nodes knows this node's run, and which runs of others live.
type nodes struct {
	engine *Engine

	mu      sync.Mutex
	self    engine.Node
	alive   map[string]bool // runs whose lease had not ended when they were asked for
	askedAt time.Time       // when alive was read
	dead    map[string]bool // runs that are known to be dead: they never come back
	lapsing trouble         // the lease could not be renewed

	control control

	replaced []string // runs that ended, which the node has not said yet; owned by keep
}

// aliveFor is how long a run is believed to be alive. maxDead bounds how many runs are remembered as dead.
const (
	aliveFor = time.Second
	maxDead  = 10_000
)

func newNodes(e *Engine) *nodes {
	n := &nodes{engine: e, dead: make(map[string]bool), alive: make(map[string]bool)}
	n.control.init(n)
	return n
}

// run returns the name of this node's present run.
func (n *nodes) run() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self.ID
}

// Self implements engine.Nodes.
func (e *Engine) Self() engine.Node {
	e.nodes.mu.Lock()
	defer e.nodes.mu.Unlock()
	return e.nodes.self
}

// begin begins a run: its lease is there before anything names it.
func (n *nodes) begin(ctx context.Context) error {
	var id [6]byte
	rand.Read(id[:]) // never fails: see crypto/rand
	self := engine.Node{
		ID: base64.RawURLEncoding.EncodeToString(id[:]), Name: n.engine.options.Name, StartedMS: time.Now().UnixMilli(),
	}
	if _, err := n.beat(ctx, self, true); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.self = self
	return nil
}

// beat renews the lease of a run, and reports false if it has ended.
func (n *nodes) beat(ctx context.Context, self engine.Node, first bool) (bool, error) {
	info, err := json.Marshal(self)
	if err != nil {
		return false, err
	}
	args := []string{self.ID, string(info), milliseconds(n.engine.options.Lease), flag(first)}
	return n.engine.exec(ctx, beatScript, n.keys(), args).AsBool()
}

func (n *nodes) keys() []string { return []string{n.engine.keys.leases(), n.engine.keys.infos()} }

// keep renews the lease until ctx ends, and soon again where that failed: a node whose Redis is back should not lose it. A
// lease that has ended is replaced by another run.
func (n *nodes) keep(ctx context.Context) {
	every := n.engine.options.Lease / 3
	for wait := every; ; {
		if pause(ctx, wait); ctx.Err() != nil {
			return
		}
		err := n.renew(ctx)
		if ctx.Err() != nil {
			return
		}
		n.note(err)
		if wait = every; err != nil {
			wait = min(every, probeEvery)
		}
	}
}

// note takes the outcome of a renewal, and logs a change.
func (n *nodes) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.lapsing.err
	n.lapsing.note(err)
	switch log := n.engine.options.Logger; {
	case err != nil && before == nil:
		log.Warn("cannot renew the node's lease", "error", err)
	case err == nil && before != nil:
		log.Info("the node's lease is renewed again")
	}
}

// trouble says why the lease could not be renewed when that was tried last.
func (n *nodes) trouble() trouble {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lapsing
}

// renew renews the lease, or begins another run. If that can't be said, the next call does.
func (n *nodes) renew(ctx context.Context) error {
	kept, err := n.beat(ctx, n.engine.Self(), false)
	if err == nil && !kept {
		err = n.replace(ctx)
	}
	if err == nil && len(n.replaced) > 0 {
		err = n.announce(ctx)
	}
	return err
}

// replace begins another run.
func (n *nodes) replace(ctx context.Context) error {
	before := n.run()
	if err := n.begin(ctx); err != nil {
		return err
	}
	n.replaced = append(n.replaced, before)
	n.engine.options.Logger.Warn("the node's lease had ended: it goes on as another", "before", before, "now", n.run())
	n.engine.schedule.forget()
	return nil
}

// announce says that the node is another run, once it hears what is told to that.
func (n *nodes) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.engine.options.Timeout)
	defer cancel()
	if err := n.control.listen(ctx); err != nil {
		return err
	}
	for _, run := range n.replaced {
		n.control.stop(ctx, run)
	}
	n.replaced = nil
	if h := n.control.served(); h != nil {
		h.Renewed(n.engine.Self())
	}
	return nil
}

// end ends the lease, so that the keys of this node's sessions vanish at once.
func (n *nodes) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.engine.options.Timeout)
	defer cancel()
	client := n.engine.client
	return client.Do(ctx, client.B().Zadd().Key(n.engine.keys.leases()).Xx().ScoreMember().ScoreMember(0, n.run()).Build()).Error()
}

// leases returns the runs whose lease lives, or those whose lease has ended.
func (n *nodes) leases(ctx context.Context, live bool) ([]engine.Node, error) {
	list, err := n.engine.exec(ctx, leasesScript, n.keys(), []string{flag(live)}).AsStrSlice()
	if err != nil {
		return nil, err
	}
	all := make([]engine.Node, 0, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		node := engine.Node{}
		if err := json.Unmarshal([]byte(list[i+1]), &node); err != nil && live {
			return nil, fmt.Errorf("%w: node %q", errCorrupt, list[i])
		}
		node.ID = list[i]
		all = append(all, node)
	}
	return all, nil
}

// List implements engine.Nodes.
func (e *Engine) List(ctx context.Context) ([]engine.Node, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	return e.nodes.list(ctx)
}

func (n *nodes) list(ctx context.Context) ([]engine.Node, error) {
	list, err := n.leases(ctx, true)
	if err != nil {
		return nil, unavailable("list nodes", err)
	}
	slices.SortFunc(list, func(a, b engine.Node) int {
		if a.StartedMS != b.StartedMS {
			return int(a.StartedMS - b.StartedMS)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, nil
}

// deadRuns returns those of the runs that are dead. A node registers a run before it names it: so one that is not in a list
// which was read later is dead, and stays so.
func (n *nodes) deadRuns(ctx context.Context, runs []string) (map[string]bool, error) {
	if !n.known(runs) {
		if err := n.ask(ctx); err != nil {
			return nil, err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	dead := make(map[string]bool)
	for _, run := range runs {
		if run != n.self.ID && !n.alive[run] {
			dead[run] = true
			n.buryLocked(run)
		}
	}
	return dead, nil
}

// known reports whether what is known of the runs is new enough.
func (n *nodes) known(runs []string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := time.Since(n.askedAt) < aliveFor
	for _, run := range runs {
		if run != n.self.ID && !n.dead[run] && !(fresh && n.alive[run]) {
			return false
		}
	}
	return true
}

func (n *nodes) ask(ctx context.Context) error {
	list, err := n.leases(ctx, true)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.askedAt = time.Now()
	clear(n.alive)
	for _, node := range list {
		n.alive[node.ID] = true
	}
	return nil
}

func (n *nodes) buryLocked(run string) {
	if len(n.dead) >= maxDead {
		clear(n.dead)
	}
	n.dead[run] = true
}
