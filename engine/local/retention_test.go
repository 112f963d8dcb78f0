package local

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// entriesOnDisk counts what the store holds of a channel, seen or not.
func (r *rig) entriesOnDisk(channel string) (n int) {
	r.t.Helper()
	state, err := r.store.loadLog(channel, engine.KindLog, false)
	if err != nil {
		r.t.Fatal(err)
	}
	it, err := r.store.entries(state.record.id, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n
}

// TestDroppedEntriesAreDeleted has retention drop a little and a lot: what stays on disk is bounded.
func TestDroppedEntriesAreDeleted(t *testing.T) {
	r, err := openRig(t, Options{FS: vfs.NewMem(), Rules: func(string) engine.Rules {
		return engine.Rules{Kind: engine.KindLog, MaxPublications: 10}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	for i := range 1000 {
		r.mustSay("log:a", fmt.Sprint(i))
	}
	wantEventually(t, func() bool { return r.entriesOnDisk("log:a") < 10+purgeAt })
}

func TestTrimmedEntriesAreDeleted(t *testing.T) {
	for _, count := range []int{1, 100, 2*purgeRange + 1} { // one by one, in chunks, as a range
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			disk := vfs.NewMem()
			r := mustOpen(t, disk)
			answers := make(chan error, count)
			for range count {
				r.Publish(context.Background(), engine.Proposal{Channel: "log:a"}, func(_ engine.Receipt, err error) { answers <- err })
			}
			for range count {
				if err := <-answers; err != nil {
					t.Fatal(err)
				}
			}
			top := r.page("log:a", engine.Query{Limit: 1}).Top
			if err := r.Trim(context.Background(), "log:a", top); err != nil {
				t.Fatal(err)
			}
			wantEventually(t, func() bool { return r.entriesOnDisk("log:a") == 0 })
			r.stop()
			r = mustOpen(t, disk)
			defer r.stop()
			if page := r.page("log:a", engine.Query{Since: &top, Limit: 1}); page.Top != top || !page.Complete {
				t.Fatalf("page of the emptied log is %+v, want top %+v", page, top)
			}
		})
	}
}

// TestSweep lets logs that nobody touches grow old: they are deleted all the same, in more than one round.
func TestSweep(t *testing.T) {
	disk := vfs.NewMem()
	var passed atomic.Int64
	rules := engine.Rules{Kind: engine.KindLog, MaxAge: time.Hour}
	o := Options{FS: disk, Rules: func(string) engine.Rules { return rules }, CacheBytes: 1, Now: func() time.Time {
		return time.UnixMilli(1_700_000_000_000 + passed.Load())
	}}
	r, err := openRig(t, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	const channels = sweepChannels + 10
	for i := range channels {
		r.mustSay(fmt.Sprintf("log:%d", i), "old")
	}
	passed.Add(2 * time.Hour.Milliseconds())
	young := r.mustSay("log:0", "young")
	wantEventually(t, func() bool {
		left := 0
		for i := range channels {
			left += r.entriesOnDisk(fmt.Sprintf("log:%d", i))
		}
		return left == 1
	})
	wantEventually(t, func() bool { return r.Stats().ChannelsInMemory == 0 })
	if page := r.page("log:0", engine.Query{Limit: 10}); len(page.Publications) != 1 || page.Top != young {
		t.Fatalf("page is %+v", page)
	}
}

// TestFewChannelsStayInMemory uses more channels than the budget has room for.
func TestFewChannelsStayInMemory(t *testing.T) {
	r, err := openRig(t, Options{FS: vfs.NewMem(), CacheBytes: 20 * channelCost})
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	const channels = 200
	at := map[string]engine.Position{}
	for i := range channels {
		name := fmt.Sprintf("log:%d", i)
		at[name] = r.mustSay(name, "first")
	}
	if n := r.Stats().ChannelsInMemory; n > 20 {
		t.Fatalf("%d channels are in memory", n)
	}
	for name, p := range at {
		if next := r.mustSay(name, "second"); next.Offset != 2 || next.Epoch != p.Epoch {
			t.Fatalf("%s was at %+v and goes on at %+v", name, p, next)
		}
	}
	for name := range at {
		if _, err := r.Subscribe(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.Stats().ChannelsInMemory; n != channels {
		t.Fatalf("%d channels are in memory, want those that are subscribed to, %d", n, channels)
	}
	for name := range at {
		r.Unsubscribe(name)
	}
	if n := r.Stats().ChannelsInMemory; n > 20 {
		t.Fatalf("%d channels stay in memory", n)
	}
}

// TestRulesChange moves a channel between kinds and durabilities while it is published to.
func TestRulesChange(t *testing.T) {
	all := []engine.Rules{
		{Kind: engine.KindLog},
		{Kind: engine.KindLog, Durability: engine.DurabilityMayLoseTail},
		{Kind: engine.KindPub},
	}
	var now atomic.Int64
	disk := vfs.NewMem()
	r, err := openRig(t, Options{FS: disk, Rules: func(string) engine.Rules { return all[now.Load()] }})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan engine.Receipt, 3000)
	for i := range cap(answers) {
		now.Store(int64(i / 10 % len(all)))
		r.Publish(context.Background(), engine.Proposal{Channel: "a"}, func(rc engine.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
			answers <- rc
		})
	}
	kept := 0
	for range cap(answers) {
		if rc := <-answers; rc.Durability != engine.DurabilityNone {
			kept++
		}
	}
	r.stop()
	now.Store(0)
	r, err = openRig(t, Options{FS: disk, Rules: func(string) engine.Rules { return all[0] }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	if got := len(r.all("a")); got != kept {
		t.Fatalf("the log holds %d publications, %d were answered as kept", got, kept)
	}
}
