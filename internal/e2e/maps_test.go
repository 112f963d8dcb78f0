package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// withMaps opens a map, and a log in which clients may be present.
const withMaps = `
allow_anonymous: true
namespaces:
  map:
    kind: map
    subscribe: anyone
    publish: anyone
    read_history: anyone
  room:
    kind: log
    subscribe: anyone
    publish: anyone
    presence: anyone
`

// records are what the server answered to those who set keys of one map: the key and the value at each version.
type records struct {
	mu sync.Mutex
	at map[uint64]string // guarded by mu
}

func (r *records) enter(version uint64, entry string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, twice := r.at[version]; twice && other != entry {
		return fmt.Errorf("version %d was given to %s and to %s", version, other, entry)
	}
	r.at[version] = entry
	return nil
}

// follower is what one client saw of a map.
type follower struct {
	versions map[string]uint64
	gone     map[string]bool
	told     []client.Change
	resets   int
}

// follow reads the map until the key "end" comes.
func (f *follower) follow(ctx context.Context, c *client.Client, name string) error {
	w, err := c.Map(name).Watch(ctx, client.WatchOptions{})
	if err != nil {
		return err
	}
	defer w.Close()
	f.versions, f.gone = make(map[string]uint64), make(map[string]bool)
	for ev, err := range w.Events(ctx) {
		if err != nil {
			return err
		}
		switch ev := ev.(type) {
		case client.Reset:
			f.resets++
			clear(f.versions)
		case client.Change:
			if ev.Version <= f.versions[ev.Key] {
				return fmt.Errorf("key %q: version %d after %d", ev.Key, ev.Version, f.versions[ev.Key])
			}
			f.versions[ev.Key], f.gone[ev.Key] = ev.Version, ev.Gone
			f.told = append(f.told, ev)
			if ev.Key == "end" {
				return nil
			}
		}
	}
	return nil
}

// check compares what was seen with what was answered, and what is left with what the map has in the end.
func (f *follower) check(r *records, final map[string]client.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range f.told {
		want, set := r.at[c.Version]
		if got := entryOf(c.Key, c.Data.Body); set == c.Gone || set && got != want {
			return fmt.Errorf("version %d is %s (gone: %v), the server answered that it is %q", c.Version, got, c.Gone, want)
		}
	}
	left := maps.Clone(f.versions)
	maps.DeleteFunc(left, func(key string, _ uint64) bool { return f.gone[key] })
	want := make(map[string]uint64)
	for key, c := range final {
		want[key] = c.Version
	}
	if !maps.Equal(left, want) {
		return fmt.Errorf("ends with %v, the map has %v", left, want)
	}
	return nil
}

func entryOf(key string, value []byte) string { return key + "=" + string(value) }

// write sets and deletes keys, and enters the answers of those that were set.
func write(ctx context.Context, m *client.Map, r *records, seed uint64, changes, keys int) error {
	random := rand.New(rand.NewPCG(seed, 0))
	for n := range changes {
		key := fmt.Sprint("key ", random.IntN(keys))
		if random.IntN(10) == 0 {
			if _, err := m.Delete(ctx, key, client.DeleteOptions{}); err != nil {
				return err
			}
			continue
		}
		value := fmt.Appendf(nil, `"%d/%d"`, seed, n)
		p, err := m.Set(ctx, key, wire.JSONData(value), client.SetOptions{})
		if err == nil {
			err = r.enter(p.Offset, entryOf(key, value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Many writers change the same keys while many readers follow them, all over a network that cuts every connection at a
// random byte: of each key a reader sees versions that only go up, each as the server answered it to its writer, and in
// the end all have the same map.
func TestCutsOfMaps(t *testing.T) {
	const (
		readers = 20
		writers = 6
		changes = 1000 // of each writer
		keys    = 40
		seed    = 3
	)
	server := startProgram(t, withMaps)
	network := startCutter(t, server.addr, seed, 200, 60_000, 4)
	crew := newCrew(t)
	r := &records{at: make(map[uint64]string)}
	followers := make([]*follower, readers)
	for i := range followers {
		c := connect(t, network.url(), client.Options{})
		followers[i] = new(follower)
		crew.do(func(ctx context.Context) error { return followers[i].follow(ctx, c, "map:board") })
	}
	var writing sync.WaitGroup
	for i := range writers {
		board := connect(t, network.url(), client.Options{}).Map("map:board")
		writing.Add(1)
		crew.do(func(ctx context.Context) error {
			defer writing.Done()
			return write(ctx, board, r, uint64(i), changes, keys)
		})
	}
	writing.Wait()
	board := connect(t, server.url(), client.Options{}).Map("map:board")
	end, err := board.SetJSON(crew.ctx, "end", 1, client.SetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.at[end.Offset] = "end=1"
	crew.wait()
	final, err := board.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	told, resets := 0, 0
	for i, f := range followers {
		if err := f.check(r, final); err != nil {
			t.Errorf("reader %d: %v", i, err)
		}
		told, resets = told+len(f.told), resets+f.resets
	}
	cuts := network.cuts.Load()
	t.Logf("%d changes, %d told to %d readers (%.0f %%), %d cuts, %d resets", end.Offset, told, readers,
		100*float64(told)/float64(readers*int(end.Offset)), cuts, resets)
	if cuts < 50 {
		t.Error("the network was too good for this test to mean much")
	}
}

// Clients that count in one key, each with compare-and-set over a network that breaks, count exactly.
func TestCutsOfACounter(t *testing.T) {
	const (
		clients = 8
		each    = 60
		seed    = 4
	)
	server := startProgram(t, withMaps)
	network := startCutter(t, server.addr, seed, 200, 20_000, 2)
	crew := newCrew(t)
	var lost atomic.Int64
	for range clients {
		counter := connect(t, network.url(), client.Options{}).Map("map:counter")
		crew.do(func(ctx context.Context) error {
			for range each {
				if err := increment(ctx, counter, &lost); err != nil {
					return err
				}
			}
			return nil
		})
	}
	crew.wait()
	final, err := connect(t, server.url(), client.Options{}).Map("map:counter").Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c := final["n"]
	var n int
	if err := c.Decode(&n); err != nil {
		t.Fatal(err)
	}
	t.Logf("counted to %d with %d clients, %d times another was faster, %d cuts", n, clients, lost.Load(), network.cuts.Load())
	if n != clients*each || c.Version != clients*each {
		t.Errorf("counted to %d in %d versions, want %d", n, c.Version, clients*each)
	}
}

// increment adds one to the key "n", again and again until nobody else was faster.
func increment(ctx context.Context, counter *client.Map, lost *atomic.Int64) error {
	for {
		keys, err := counter.Read(ctx)
		if err != nil {
			return err
		}
		var n int
		c, ok := keys["n"]
		if ok {
			if err := c.Decode(&n); err != nil {
				return err
			}
		}
		_, err = counter.SetJSON(ctx, "n", n+1, client.SetOptions{If: new(c.Version)})
		if e := new(client.Error); errors.As(err, &e) && e.Code == wire.CodeVersionMismatch {
			lost.Add(1)
			continue
		}
		return err
	}
}

// A key with a time to live vanishes for readers that are there, and for those that come later.
func TestKeysExpire(t *testing.T) {
	server := startProgram(t, withMaps)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m := connect(t, server.url(), client.Options{}).Map("map:brief")
	w, err := m.Watch(ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const ttl = 300 * time.Millisecond
	set := time.Now()
	for _, key := range []string{"a", "b"} {
		if _, err := m.SetJSON(ctx, key, 1, client.SetOptions{TTL: ttl}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.SetJSON(ctx, "b", 2, client.SetOptions{}); err != nil { // without a time, it stays
		t.Fatal(err)
	}
	for ev, err := range w.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := ev.(client.Change); ok && c.Gone {
			if c.Key != "a" || time.Since(set) < ttl {
				t.Fatalf("key %q is gone after %v", c.Key, time.Since(set))
			}
			break
		}
	}
	keys, err := m.Read(ctx)
	if err != nil || len(keys) != 1 || keys["b"].Version != 3 {
		t.Errorf("the map has %v, %v", keys, err)
	}
}
