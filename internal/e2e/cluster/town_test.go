package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// ownersAtNode is how many clients that own something begin at each node.
const ownersAtNode = 4

// town is a fleet whose clients own keys of one map and are present in one channel, and watch both from every node.
type town struct {
	*fleet
	t       *testing.T
	crew    *crew
	ways    []*roamer        // of the owners that began at the node with the same index
	owners  []*client.Client // in the order of the nodes where they began
	names   []string         // of the owners
	watches []watching       // one at each node
}

// watching is what a watcher sees.
type watching struct {
	keys    *client.Watch
	present *client.Watch
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{fleet: startFleet(t), t: t, crew: newCrew(t)}
	for i := range w.nodes {
		w.watches = append(w.watches, w.watch(w.connect(t, i)))
	}
	for i := range w.nodes {
		way := newRoamer(w.nodes[i].addr)
		w.ways = append(w.ways, way)
		for j := range ownersAtNode {
			w.settle(way.connect(t, client.Options{}), fmt.Sprintf("%d-%d", i, j))
		}
	}
	w.wantWithin(busyMachine, w.names...)
	return w
}

func (w *town) watch(c *client.Client) watching {
	w.t.Helper()
	keys, err := c.Map("map:owned").Watch(w.crew.ctx, client.WatchOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	present, err := c.Map(wire.PresenceMap("log:town")).Watch(w.crew.ctx, client.WatchOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return watching{keys, present}
}

// settle has a client own a key of its name, and be present under it.
func (w *town) settle(c *client.Client, name string) {
	w.t.Helper()
	if _, err := c.Map("map:owned").SetJSON(w.crew.ctx, name, name, client.SetOptions{Own: true}); err != nil {
		w.t.Fatal(err)
	}
	if err := c.Presence("log:town").Join(w.crew.ctx, wire.JSONData(fmt.Appendf(nil, "%q", name))); err != nil {
		w.t.Fatal(err)
	}
	w.owners, w.names = append(w.owners, c), append(w.names, name)
}

// sees returns the names of who owns a key, and who is present, as name@session.
func (s watching) sees() (owners, present []string) {
	for name := range s.keys.All() {
		owners = append(owners, name)
	}
	for session, c := range s.present.All() {
		var member struct{ State string }
		if err := c.Decode(&member); err != nil {
			member.State = err.Error()
		}
		present = append(present, member.State+"@"+session)
	}
	slices.Sort(owners)
	slices.Sort(present)
	return owners, present
}

// expected returns what every watcher should see if just these owners are there, in the sessions that they have now.
func (w *town) expected(names []string) (owners, present []string) {
	for i, name := range w.names {
		if slices.Contains(names, name) {
			owners, present = append(owners, name), append(present, name+"@"+w.owners[i].Session())
		}
	}
	slices.Sort(owners)
	slices.Sort(present)
	return owners, present
}

// so reports whether every watcher sees the owners of the names, each once, and nobody else.
func (w *town) so(names []string) bool {
	wantOwners, wantPresent := w.expected(names)
	for _, s := range w.watches {
		owners, present := s.sees()
		if !slices.Equal(owners, wantOwners) || !slices.Equal(present, wantPresent) {
			return false
		}
	}
	return true
}

// wantWithin waits until it is so, and returns how long that took.
func (w *town) wantWithin(limit time.Duration, names ...string) time.Duration {
	w.t.Helper()
	began := time.Now()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !w.so(names) {
		if <-look.C; time.Since(began) > limit {
			w.t.Fatalf("after %v: %s", limit, w.describe(names))
		}
	}
	return time.Since(began)
}

// wantStill checks that it stays so for a while.
func (w *town) wantStill(during time.Duration, names ...string) {
	w.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); time.Since(began) < during; <-look.C {
		if !w.so(names) {
			w.t.Fatalf("after %v it is no more so: %s", time.Since(began), w.describe(names))
		}
	}
}

func (w *town) describe(names []string) string {
	var b strings.Builder
	owners, present := w.expected(names)
	fmt.Fprintf(&b, "want the keys of %v, present %v", owners, present)
	for i, s := range w.watches {
		owners, present := s.sees()
		fmt.Fprintf(&b, "\nwatcher %d sees the keys of %v, present %v", i, owners, present)
	}
	return b.String()
}

// of returns the names of those who began at some of the nodes.
func (w *town) of(nodes ...int) (names []string) {
	for _, i := range nodes {
		names = append(names, w.names[i*ownersAtNode:(i+1)*ownersAtNode]...)
	}
	return names
}

// close ends the clients that began at a node.
func (w *town) close(node int) {
	w.t.Helper()
	for _, c := range w.owners[node*ownersAtNode : (node+1)*ownersAtNode] {
		ctx, cancel := context.WithTimeout(w.crew.ctx, time.Second)
		_ = c.Close(ctx) // its node may be dead
		cancel()
	}
}
