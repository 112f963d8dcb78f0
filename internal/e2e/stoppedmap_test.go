package e2e

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// A consumer that does not ask for news, while every key changes many times, is told of each key once, with the newest,
// and what waited for it is as large as the map, however much changed.
func TestConsumerOfAMapStops(t *testing.T) {
	const (
		keys    = 100
		changes = 12_000
		size    = 1000
	)
	server := startProgram(t, withMaps)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w, err := connect(t, server.url(), client.Options{}).Map("map:a").Watch(ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	board := connect(t, server.url(), client.Options{}).Map("map:a")
	change(ctx, t, board, keys, changes/2, size)
	before := heap()
	change(ctx, t, board, keys, changes/2, size)
	grown := heap() - before
	end, err := board.SetJSON(ctx, "end", 1, client.SetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the newest has arrived", func() bool {
		c, _ := w.Get("end")
		return c.Version == end.Offset
	})
	final := w.All()
	told := make(map[string]bool)
	for ev, err := range w.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		c, ok := ev.(client.Change)
		if !ok {
			continue // that the empty map was synced
		}
		if told[c.Key] || c.Version != final[c.Key].Version {
			t.Fatalf("told of key %q at version %d (before: %v), the newest is %d", c.Key, c.Version, told[c.Key], final[c.Key].Version)
		}
		if told[c.Key] = true; len(told) == keys+1 {
			break
		}
	}
	t.Logf("%d changes of %d KB each told as %d; the second half of them cost %d KB of memory", changes, size/1000, len(told), grown>>10)
	if grown > 4<<20 {
		t.Errorf("a consumer that stopped cost %d bytes", grown)
	}
}

// A reader that takes nothing from its socket costs the server a cursor: when it reads on, it gets what the socket held,
// and then each key once.
func TestReaderOfAMapStops(t *testing.T) {
	const (
		keys    = 20
		changes = 3_000
		size    = 20_000
	)
	server := startProgram(t, withMaps)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reader := testkit.Connect(t, server.url())
	reader.Send(`{"id":1,"sub":{"ch":"map:a"}}`)
	reader.Want("subscribed", `{"id":1}`)
	reader.Want("synced", `{"ch":"map:a"}`)
	board := connect(t, server.url(), client.Options{}).Map("map:a")
	change(ctx, t, board, keys, changes, size)
	end, err := board.SetJSON(ctx, "end", 1, client.SetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, versions := 0, make(map[string]uint64)
	for versions["end"] == 0 {
		frame, text := reader.Next()
		pub, ok := frame["pub"].(map[string]any)
		if !ok {
			t.Fatalf("got %.200s", text)
		}
		key, version := pub["key"].(string), uint64(pub["off"].(float64))
		if version <= versions[key] {
			t.Fatalf("key %q: version %d after %d", key, version, versions[key])
		}
		versions[key] = version
		got++
	}
	final, err := board.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for key, c := range final {
		if versions[key] != c.Version {
			t.Errorf("key %q: the reader ends with version %d, the map has %d", key, versions[key], c.Version)
		}
	}
	t.Logf("%d changes of %d KB: a reader that stopped meanwhile got %d", end.Offset, size/1000, got)
	if got > changes/2 {
		t.Errorf("a reader that stopped got %d of %d changes", got, changes)
	}
}

// change sets every key of a map in turn, many at once.
func change(ctx context.Context, t *testing.T, m *client.Map, keys, changes, size int) {
	t.Helper()
	const atOnce = 20
	value := wire.JSONData(fmt.Appendf(nil, "%q", strings.Repeat("x", size)))
	crew := newCrew(t)
	for worker := range atOnce {
		crew.do(func(context.Context) error {
			for n := worker; n < changes; n += atOnce {
				if _, err := m.Set(ctx, fmt.Sprint(n%keys), value, client.SetOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	crew.wait()
}

// heap returns the bytes of memory that are in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
