package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// notes are the events that a watch told, in short, with their times.
type notes struct {
	mu   sync.Mutex
	told []string
	at   []time.Time
	more chan struct{} // closed and replaced with each
}

func newNotes() *notes { return &notes{more: make(chan struct{})} }

func (n *notes) add(event string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told, n.at = append(n.told, event), append(n.at, time.Now())
	close(n.more)
	n.more = make(chan struct{})
}

// wait waits until the event was told at least so often, and returns when that was.
func (n *notes) wait(ctx context.Context, t *testing.T, event string, times int) time.Time {
	t.Helper()
	for {
		n.mu.Lock()
		at, more := n.findLocked(event, times), n.more
		n.mu.Unlock()
		if !at.IsZero() {
			return at
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("%s was not told %d times; told was %v", event, times, n.told)
		}
	}
}

func (n *notes) findLocked(event string, times int) time.Time {
	for i, told := range n.told {
		if told == event {
			if times--; times == 0 {
				return n.at[i]
			}
		}
	}
	return time.Time{}
}

// count returns how often the event was told.
func (n *notes) count(event string) (times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, told := range n.told {
		if told == event {
			times++
		}
	}
	return times
}

// watchBoth notes what becomes of a map and of a presence, which name sessions by their states.
func watchBoth(crew *crew, c *client.Client, n *notes) error {
	w, err := c.Map("map:owned").Watch(crew.ctx, client.WatchOptions{})
	if err != nil {
		return err
	}
	p, err := c.Presence("room:a").Watch(crew.ctx)
	if err != nil {
		return err
	}
	crew.do(func(ctx context.Context) error {
		for ev, err := range w.Events(ctx) {
			if err != nil {
				return over(ctx, err)
			}
			if change, ok := ev.(client.Change); ok {
				n.add(fmt.Sprintf("key %s %v", change.Key, !change.Gone))
			}
		}
		return nil
	})
	crew.do(func(ctx context.Context) error {
		for ev, err := range p.Events(ctx) {
			switch ev := ev.(type) {
			case client.Joined:
				n.add("joined " + string(ev.State.Body))
			case client.Left:
				n.add("left " + string(ev.State.Body))
			}
			if err != nil {
				return over(ctx, err)
			}
		}
		return nil
	})
	return nil
}

// over drops the error of a watch that the test has ended.
func over(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// What a session owns, a key and its presence, vanishes 10 s after its connection was lost, and is there again once the
// client is; a client whose connection breaks again and again, but comes back at once, is never seen to go.
func TestOwnedKeysAndPresence(t *testing.T) {
	const grace = 10 * time.Second
	server := startProgram(t, withMaps)
	steady := startCutter(t, server.addr, 5, 1_500, 6_000, 0)
	broken := startCutter(t, server.addr, 6, 1<<40, 1<<41, 0)
	crew, seen := newCrew(t), newNotes()
	if err := watchBoth(crew, connect(t, server.url(), client.Options{}), seen); err != nil {
		t.Fatal(err)
	}
	restless := connect(t, steady.url(), client.Options{})
	lost := connect(t, broken.url(), client.Options{})
	for name, c := range map[string]*client.Client{"restless": restless, "lost": lost} {
		if _, err := c.Map("map:owned").SetJSON(crew.ctx, name, 1, client.SetOptions{Own: true}); err != nil {
			t.Fatal(err)
		}
		if err := c.Presence("room:a").Join(crew.ctx, wire.JSONData(fmt.Appendf(nil, "%q", name))); err != nil {
			t.Fatal(err)
		}
		seen.wait(crew.ctx, t, "key "+name+" true", 1)
		seen.wait(crew.ctx, t, `joined "`+name+`"`, 1)
	}
	broken.setDown(true)
	cut := time.Now()
	// Talk keeps the other client's connection breaking.
	for seen.count("key lost false") == 0 || seen.count(`left "lost"`) == 0 {
		if _, err := restless.Map("map:talk").SetJSON(crew.ctx, "n", time.Now().String(), client.SetOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, event := range []string{"key lost false", `left "lost"`} {
		if after := seen.wait(crew.ctx, t, event, 1).Sub(cut); after < grace-time.Second || after > grace+3*time.Second {
			t.Errorf("%s after %v, want about %v", event, after, grace)
		}
	}
	broken.setDown(false)
	seen.wait(crew.ctx, t, "key lost true", 2)
	seen.wait(crew.ctx, t, `joined "lost"`, 2)
	t.Logf("%d cuts of the restless client; told: %v", steady.cuts.Load(), seen.told)
	if seen.count("key restless false") != 0 || seen.count(`left "restless"`) != 0 || seen.count(`joined "restless"`) != 1 {
		t.Errorf("a client that came back at once was seen to go: %v", seen.told)
	}
	if steady.cuts.Load() < 20 {
		t.Error("the network was too good for this test to mean much")
	}

	if err := lost.Presence("room:a").Leave(crew.ctx); err != nil {
		t.Fatal(err)
	}
	seen.wait(crew.ctx, t, `left "lost"`, 2)
}

// The server is killed and started again: no owned key and no presence of before is left, and the clients that come back
// say theirs again.
func TestOwnedKeysOfAKilledServer(t *testing.T) {
	server := startProgram(t, withMaps)
	crew := newCrew(t)
	back, gone := connect(t, server.url(), client.Options{}), connect(t, server.url(), client.Options{})
	for name, c := range map[string]*client.Client{"back": back, "gone": gone} {
		if _, err := c.Map("map:owned").SetJSON(crew.ctx, name, 1, client.SetOptions{Own: true}); err != nil {
			t.Fatal(err)
		}
		if err := c.Presence("room:a").Join(crew.ctx, wire.JSONData(fmt.Appendf(nil, "%q", name))); err != nil {
			t.Fatal(err)
		}
	}
	server.kill()
	if err := gone.Close(crew.ctx); err != nil {
		t.Fatal(err)
	}
	server.start()
	watcher := connect(t, server.url(), client.Options{})
	owned, err := watcher.Map("map:owned").Watch(crew.ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantOnly(crew.ctx, t, owned, "back")
	present, err := watcher.Map(wire.PresenceMap("room:a")).Watch(crew.ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantOnly(crew.ctx, t, present, back.Session())
	crew.stop(nil)
}

// wantOnly waits until a map has one key and no other.
func wantOnly(ctx context.Context, t *testing.T, w *client.Watch, key string) {
	t.Helper()
	for {
		if _, ok := w.Get(key); ok && w.Synced() && w.Len() == 1 {
			return
		}
		if _, err := w.Next(ctx); err != nil {
			t.Fatalf("%v; the map has %v, want %s", err, w.All(), key)
		}
	}
}
