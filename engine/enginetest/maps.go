package enginetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// mapRules are those of maps of at most n keys; channels of the namespace log are logs.
func mapRules(n int) func(string) engine.Rules {
	return func(channel string) engine.Rules {
		if strings.HasPrefix(channel, "log:") {
			return log(0)
		}
		return engine.Rules{Kind: engine.KindMap, MaxKeys: n}
	}
}

const scores = "map:scores"

var mapTests = map[string]func(*testing.T, Suite){
	"set and delete":               testMapSetDelete,
	"compare and set":              testMapCompareAndSet,
	"bounds":                       testMapBounds,
	"ids":                          testMapIdempotency,
	"pages":                        testMapPages,
	"feed":                         testMapFeed,
	"resume":                       testMapResume,
	"expiry":                       testMapExpiry,
	"owner":                        testMapOwner,
	"restart":                      testMapRestart,
	"readers beside many changes":  testMapReaders,
	"positions that are not of it": testMapForeign,
	"one key":                      testMapKey,
	"one key, of many who count":   testMapKeyCounts,
}

// change makes a change and returns the answer.
func (n *node) change(c engine.MapChange, value string) result {
	n.t.Helper()
	return n.publish(engine.Proposal{Channel: scores, Map: &c, Message: message(value)})
}

// set sets a key and returns its version.
func (n *node) set(key, value string) uint64 {
	n.t.Helper()
	r := n.change(engine.MapChange{Key: key}, value)
	n.want(r.err, nil)
	return r.receipt.Position.Offset
}

func (n *node) delete(key string) uint64 {
	n.t.Helper()
	r := n.change(engine.MapChange{Key: key, Delete: true}, "")
	n.want(r.err, nil)
	return r.receipt.Position.Offset
}

// all reads a map page by page after a position, and returns its changes and where it ended.
func (n *node) all(since *engine.Position, limit int) (pubs []*engine.Publication, end engine.Position) {
	n.t.Helper()
	for {
		page := n.page(scores, engine.Query{Since: since, Limit: limit})
		if !page.Complete {
			n.t.Fatalf("the page after %v is not complete", since)
		}
		pubs = append(pubs, page.Publications...)
		if end = page.End; !page.More {
			return pubs, end
		}
		since = &end
	}
}

// apply makes the changes to state, checks that versions only go up, and returns it.
func apply(t *testing.T, state map[string]string, versions map[string]uint64, pubs []*engine.Publication) map[string]string {
	t.Helper()
	for _, p := range pubs {
		if p.Offset <= versions[p.Key] {
			t.Errorf("key %q has version %d after %d", p.Key, p.Offset, versions[p.Key])
		}
		versions[p.Key] = p.Offset
		if p.Gone {
			delete(state, p.Key)
		} else {
			state[p.Key] = text(p)
		}
	}
	return state
}

func (n *node) state() map[string]string {
	n.t.Helper()
	pubs, _ := n.all(nil, 100)
	for _, p := range pubs {
		if p.Gone {
			n.t.Errorf("a reader that knows nothing is told that %q is gone", p.Key)
		}
	}
	return apply(n.t, map[string]string{}, map[string]uint64{}, pubs)
}

func (n *node) wantState(want map[string]string) {
	n.t.Helper()
	if got := n.state(); !maps.Equal(got, want) {
		n.t.Fatalf("the map is %v, want %v", got, want)
	}
	if keys := n.page(scores, engine.Query{Limit: 1}).Keys; keys != len(want) {
		n.t.Errorf("it says that it has %d keys, of %v", keys, want)
	}
}

func testMapSetDelete(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	n.wantState(map[string]string{})
	a, b := n.set("a", "1"), n.set("b", "2")
	again := n.set("a", "3")
	if a >= b || b >= again {
		t.Errorf("versions are %d, %d, %d", a, b, again)
	}
	n.wantState(map[string]string{"a": "3", "b": "2"})
	n.delete("b")
	n.delete("never there")
	n.wantState(map[string]string{"a": "3"})
	n.set("b", "4")
	n.wantState(map[string]string{"a": "3", "b": "4"})
}

func testMapCompareAndSet(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	condition := func(v uint64) *uint64 { return &v }
	create := engine.MapChange{Key: "a", IfVersion: condition(0)}
	first := n.change(create, "1")
	n.want(first.err, nil)
	n.want(n.change(create, "2").err, engine.ErrVersionMismatch)
	version := first.receipt.Position.Offset
	n.want(n.change(engine.MapChange{Key: "a", IfVersion: condition(version + 1)}, "3").err, engine.ErrVersionMismatch)
	n.want(n.change(engine.MapChange{Key: "a", IfVersion: condition(version)}, "4").err, nil)
	n.want(n.change(engine.MapChange{Key: "a", Delete: true, IfVersion: condition(version)}, "").err, engine.ErrVersionMismatch)
	n.wantState(map[string]string{"a": "4"})
	n.delete("a")
	n.want(n.change(create, "5").err, nil)
	n.wantState(map[string]string{"a": "5"})

	// Of many who add one at the same time, none gets lost.
	const workers, each = 8, 10
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for done := 0; done < each; {
				page := n.page(scores, engine.Query{Limit: 10})
				var value int
				fmt.Sscan(text(page.Publications[0]), &value)
				r := n.change(engine.MapChange{Key: "a", IfVersion: condition(page.Publications[0].Offset)}, fmt.Sprint(value+1))
				if r.err == nil {
					done++
				}
			}
		})
	}
	all.Wait()
	n.wantState(map[string]string{"a": fmt.Sprint(5 + workers*each)})
}

func testMapBounds(t *testing.T, s Suite) {
	n := start(t, s, mapRules(2))
	n.set("a", "1")
	n.set("b", "1")
	n.want(n.change(engine.MapChange{Key: "c"}, "1").err, engine.ErrTooManyKeys)
	n.set("b", "2")
	n.delete("a")
	n.set("c", "1")
	n.wantState(map[string]string{"b": "2", "c": "1"})
}

func testMapIdempotency(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	publish := func(value string) result {
		return n.publish(engine.Proposal{Channel: scores, Idem: "k", Map: &engine.MapChange{Key: "a"}, Message: message(value)})
	}
	first := publish("1")
	n.set("a", "2")
	again := publish("1")
	if again.err != nil || !again.receipt.Duplicate || again.receipt.Position != first.receipt.Position {
		t.Fatalf("the repeated change is answered %+v, the first was %+v", again, first)
	}
	n.want(publish("other").err, engine.ErrIdemReused)
	// A client whose session is another one now repeats what it said in the name of the old one.
	owned := func(owner string) result {
		change := &engine.MapChange{Key: "b", Owner: owner}
		return n.publish(engine.Proposal{Channel: scores, Idem: "o", Map: change, Message: message("1")})
	}
	n.want(owned("one").err, nil)
	if r := owned("two"); r.err != nil || !r.receipt.Duplicate {
		t.Fatalf("the change repeated for another owner is answered %+v", r)
	}
	n.delete("b")
	n.wantState(map[string]string{"a": "2"})
}

func testMapPages(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	want := map[string]string{}
	for i := range 60 {
		key := fmt.Sprint(i % 20)
		n.set(key, fmt.Sprint(i))
		want[key] = fmt.Sprint(i)
	}
	for i := range 5 {
		n.delete(fmt.Sprint(i))
		delete(want, fmt.Sprint(i))
	}
	for limit := 1; limit <= 22; limit++ {
		pubs, end := n.all(nil, limit)
		if got := apply(t, map[string]string{}, map[string]uint64{}, pubs); !maps.Equal(got, want) {
			t.Fatalf("with pages of %d it is %v, want %v", limit, got, want)
		}
		if end != n.top(scores) {
			t.Fatalf("with pages of %d it ends at %+v", limit, end)
		}
	}
	_, err := n.History(t.Context(), scores, engine.Query{Before: new(engine.Position), Limit: 1})
	n.want(err, engine.ErrBadPosition)
}

func testMapFeed(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	n.set("a", "before")
	at := n.subscribe(scores)
	n.set("a", "1")
	n.set("b", "2")
	n.delete("a")
	for i, p := range n.waitFed(scores, 3) {
		if p.Offset != at.Offset+1 || p.PrevTag != at.Tag {
			t.Fatalf("change %d is %+v, after %+v", i, p.Position, at)
		}
		at = p.Position
		if want := []string{"a", "b", "a"}[i]; p.Key != want || p.Gone != (i == 2) {
			t.Errorf("change %d is of %q, gone %v", i, p.Key, p.Gone)
		}
	}
}

// From every position, what follows leads to the same map.
func testMapResume(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	state, versions := map[string]string{}, map[string]uint64{}
	type moment struct {
		at       engine.Position
		state    map[string]string
		versions map[string]uint64
	}
	var moments []moment
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 80 {
		key := fmt.Sprint(random.IntN(8))
		if random.IntN(3) == 0 {
			n.delete(key)
		} else {
			n.set(key, fmt.Sprint(i))
		}
		at := n.top(scores)
		pubs, _ := n.all(lastOf(moments, func(m moment) engine.Position { return m.at }), 100)
		apply(t, state, versions, pubs)
		moments = append(moments, moment{at, maps.Clone(state), maps.Clone(versions)})
	}
	want := n.state()
	for _, m := range moments {
		for _, limit := range []int{1, 3, 100} {
			pubs, _ := n.all(&m.at, limit)
			if got := apply(t, maps.Clone(m.state), maps.Clone(m.versions), pubs); !maps.Equal(got, want) {
				t.Fatalf("from %+v with pages of %d it becomes %v, want %v", m.at, limit, got, want)
			}
		}
	}
}

// lastOf returns what of takes from the last item, or nil.
func lastOf[T any](items []T, of func(T) engine.Position) *engine.Position {
	if len(items) == 0 {
		return nil
	}
	p := of(items[len(items)-1])
	return &p
}

func testMapExpiry(t *testing.T, s Suite) {
	if !s.FollowsClock {
		t.Skip("the engine has a clock of its own")
	}
	n := start(t, s, mapRules(0))
	n.subscribe(scores)
	n.set("stays", "1")
	n.want(n.change(engine.MapChange{Key: "short", TTL: time.Minute}, "1").err, nil)
	n.want(n.change(engine.MapChange{Key: "renewed", TTL: time.Minute}, "1").err, nil)
	n.wantState(map[string]string{"stays": "1", "short": "1", "renewed": "1"})
	at := n.top(scores)
	n.clock.pass(40 * time.Second)
	n.want(n.change(engine.MapChange{Key: "renewed", TTL: time.Minute}, "2").err, nil)
	n.clock.pass(40 * time.Second)
	if got := n.state(); !maps.Equal(got, map[string]string{"stays": "1", "renewed": "2"}) {
		t.Fatalf("after the time of one key the map is %v", got)
	}
	gone := n.waitFed(scores, 5)[4]
	if gone.Key != "short" || !gone.Gone {
		t.Fatalf("the last change is %+v", gone)
	}
	n.wantState(map[string]string{"stays": "1", "renewed": "2"})
	pubs, _ := n.all(&at, 10)
	if len(pubs) != 2 || pubs[1].Key != "short" || !pubs[1].Gone {
		t.Fatalf("a reader from before is told %+v", pubs)
	}
	n.want(n.change(engine.MapChange{Key: "short", IfVersion: new(uint64)}, "anew").err, nil)
}

func testMapOwner(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	n.want(n.change(engine.MapChange{Key: "a", Owner: "ann"}, "1").err, nil)
	n.want(n.change(engine.MapChange{Key: "a", Delete: true, IfOwner: "ben"}, "").err, nil)
	n.wantState(map[string]string{"a": "1"})
	n.want(n.change(engine.MapChange{Key: "a", Owner: "ben"}, "2").err, nil)
	n.want(n.change(engine.MapChange{Key: "a", Delete: true, IfOwner: "ann"}, "").err, nil)
	n.wantState(map[string]string{"a": "2"})
	n.want(n.change(engine.MapChange{Key: "a", Delete: true, IfOwner: "ben"}, "").err, nil)
	n.wantState(map[string]string{})
}

func testMapRestart(t *testing.T, s Suite) {
	if !s.Restarts {
		t.Skip("the engine does not keep its data")
	}
	n := start(t, s, mapRules(0))
	n.set("a", "1")
	n.want(n.change(engine.MapChange{Key: "owned", Owner: "ann"}, "1").err, nil)
	n.set("gone", "1")
	n.delete("gone")
	n.set("b", "2")
	at := n.top(scores)
	n.restart()
	n.subscribe(scores)
	if got := n.state(); !maps.Equal(got, map[string]string{"a": "1", "b": "2"}) {
		t.Fatalf("after the restart the map is %v", got)
	}
	for page := n.page(scores, engine.Query{Since: &at, Limit: 9}); len(page.Publications) == 0; {
		page = n.page(scores, engine.Query{Since: &at, Limit: 9})
	}
	pubs, _ := n.all(&at, 9)
	if len(pubs) != 1 || pubs[0].Key != "owned" || !pubs[0].Gone {
		t.Fatalf("a reader from before the restart is told %+v", pubs)
	}
	n.wantState(map[string]string{"a": "1", "b": "2"})
	if v := n.set("a", "3"); v <= at.Offset {
		t.Errorf("version %d after position %d", v, at.Offset)
	}
}

// While keys change all the time, each page is whole: a reader never misses a key that is always there.
func testMapReaders(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	const keys = 5
	for k := range keys {
		n.set(fmt.Sprint(k), "0")
	}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for k := range keys {
		writers.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
					n.set(fmt.Sprint(k), fmt.Sprint(i))
				}
			}
		})
	}
	for range 200 {
		if got := n.state(); len(got) != keys {
			t.Errorf("a page has %d of %d keys: %v", len(got), keys, got)
			break
		}
	}
	close(stop)
	writers.Wait()
}

func testMapForeign(t *testing.T, s Suite) {
	n := start(t, s, mapRules(0))
	n.set("a", "1")
	top := n.top(scores)
	otherEpoch, future, otherTag := top, top, top
	otherEpoch.Epoch++
	future.Offset += 5
	otherTag.Tag++
	for name, at := range map[string]engine.Position{"epoch": otherEpoch, "future": future, "tag": otherTag, "zero": {}} {
		if page := n.page(scores, engine.Query{Since: &at, Limit: 10}); page.Complete || page.Evicted || len(page.Publications) > 0 {
			t.Errorf("%s: page is %+v", name, page)
		}
	}
}
