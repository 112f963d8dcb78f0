package cluster

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
)

// A replica is promoted that lacks the newest changes of a map: keys that were set, changed and deleted. Every watcher comes
// to what the replica has, also where a key goes back, and follows what comes then.
func TestFailoverOfAMap(t *testing.T) {
	t.Parallel()
	const keys = 20
	run, f, crew := testkit.Begin("D5"), startPair(t), newCrew(t)
	board := f.connect(t, 0).Map("map:board")
	set := func(value string, keys ...string) {
		for _, key := range keys {
			if _, err := board.SetJSON(crew.ctx, key, value, client.SetOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var watches []*client.Watch
	for i := range f.nodes {
		w, err := f.connect(t, i).Map("map:board").Watch(crew.ctx, client.WatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, w)
	}
	for n := range keys {
		set("kept", fmt.Sprint(n))
	}
	f.part(t)
	set("lost", "0", "1", "new")
	if _, err := board.Delete(crew.ctx, "2", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantBoard(t, watches, map[string]string{"0": "lost", "1": "lost", "new": "lost"}, keys)
	f.promote()
	f.lead()
	began := time.Now()
	wantBoard(t, watches, map[string]string{"0": "kept", "1": "kept", "2": "kept"}, keys)
	took := time.Since(began)
	set("later", "1", "new")
	wantBoard(t, watches, map[string]string{"0": "kept", "1": "later", "2": "kept", "new": "later"}, keys+1)
	if took > checkInterval+busyMachine {
		t.Errorf("watchers saw what was lost for %v", took)
	}
	run.Counted = fmt.Sprintf("%d watchers of a map have what the replica has within %.1f s", len(watches), took.Seconds())
	run.End(t)
}

// wantBoard waits until every watcher sees so many keys, some of them with these values.
func wantBoard(t *testing.T, watches []*client.Watch, want map[string]string, keys int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("all see %d keys, and %v", keys, want), func() bool {
		for _, w := range watches {
			all := w.All()
			got := make(map[string]string)
			for key := range want {
				var value string
				if c, ok := all[key]; ok && c.Decode(&value) == nil {
					got[key] = value
				}
			}
			if len(all) != keys || !maps.Equal(got, want) {
				return false
			}
		}
		return true
	})
}
