package local

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/earshot/earshot/engine"
)

// TestKeysAreBounded uses more keys than there is room for: the newest are remembered, and that others were not is
// counted.
func TestKeysAreBounded(t *testing.T) {
	const room = 320 // keys
	for _, channel := range []string{"log:a", "live:a"} {
		t.Run(channel, func(t *testing.T) {
			r, err := openRig(t, Options{FS: vfs.NewMem(), KeyBytes: room * keyCost, LiveKeyBytes: room * keyCost})
			if err != nil {
				t.Fatal(err)
			}
			defer r.stop()
			for i := range 3 * room {
				r.mustSay(channel, fmt.Sprint(i))
			}
			wantEventually(t, func() bool { return r.Stats().KeyWindowsShortened > 0 })
			rc, err := r.say(channel, fmt.Sprint(3*room-1))
			if err != nil || !rc.Duplicate {
				t.Fatalf("the newest key was forgotten: %+v, %v", rc, err)
			}
			wantEventually(t, func() bool {
				rc, err := r.say(channel, "0")
				return err == nil && (!rc.Duplicate || rc.Position.Offset > 3*room)
			})
		})
	}
}

// TestForgottenKeysAreDeleted checks that nothing stays on disk of keys whose window is over.
func TestForgottenKeysAreDeleted(t *testing.T) {
	now := int64(1_700_000_000_000)
	s, err := openStore("data", vfs.NewMem(), &health{log: quiet()}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	k, err := loadKeys(s, 1<<20, quiet())
	if err != nil {
		t.Fatal(err)
	}
	window := 10 * time.Second
	for i := range 100 {
		addKey(t, k, testKey(i), now, window)
		now += 1000
		if err := k.expire(now); err != nil {
			t.Fatal(err)
		}
		if n := keysOnDisk(t, s); n > 15 {
			t.Fatalf("%d keys are on disk, the window holds 10", n)
		}
	}
	if n := len(k.list); n > keySegments+2 {
		t.Fatalf("%d segments", n)
	}
	again, err := loadKeys(s, 1<<20, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for i := 91; i < 100; i++ { // without the filters
		if _, found, err := again.find(testKey(i), now, window); !found || err != nil {
			t.Fatalf("key %d: %v, %v", i, found, err)
		}
	}
	if _, found, err := again.find(testKey(89), now, window); found || err != nil {
		t.Fatalf("a key after its window: %v, %v", found, err)
	}
}

func testKey(i int) (id keyID) {
	binary.LittleEndian.PutUint64(id[:], uint64(i))
	return id
}

func addKey(t *testing.T, k *storedKeys, id keyID, now int64, window time.Duration) {
	t.Helper()
	b := k.store.db.NewBatch()
	defer b.Close()
	segment, err := k.place(id, now, window)
	if err != nil {
		t.Fatal(err)
	}
	var used usedKeys
	used.reset()
	used.add(segment, id, keyRecord{unixMS: now, position: engine.Position{Epoch: 1}})
	if err := used.write(b); err != nil {
		t.Fatal(err)
	}
	if err := k.store.apply(b, false); err != nil {
		t.Fatal(err)
	}
}

func keysOnDisk(t *testing.T, s *store) (n int) {
	t.Helper()
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.SeekGE([]byte{prefixKey}); ok && it.Key()[0] == prefixKey; ok = it.Next() {
		n++
	}
	return n
}

func TestFilter(t *testing.T) {
	const n = 10_000
	f := newFilter(n)
	for i := range n {
		f.add(hashKey("c", "u", fmt.Sprint(i)))
	}
	wrong := 0
	for i := range n {
		if !f.mayHold(hashKey("c", "u", fmt.Sprint(i))) {
			t.Fatalf("key %d is not in the filter", i)
		}
		if f.mayHold(hashKey("c", "u", fmt.Sprint(n+i))) {
			wrong++
		}
	}
	if wrong > n/20 {
		t.Fatalf("%d of %d new keys seem to be known", wrong, n)
	}
}
