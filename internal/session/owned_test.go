package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// setOwn sets a key that the session owns, for ttl, and has the engine answer.
func (b *bench) setOwn(key string, ttl time.Duration, answer error) {
	b.Helper()
	b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Set{Channel: "map:a", Key: key, Own: true, TTL: ttl}})
	if said := b.frames(); len(said) > 0 {
		b.Fatalf("key %q is answered at once: %v", key, said)
	}
	b.engine.answer(answer)
	b.frames()
}

// A key that was refused, and one whose time is over, are not the session's: neither counts towards what it may own.
func TestWhatIsNotOwnedDoesNotCount(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		for i := range 2 * maxOwned {
			b.setOwn(fmt.Sprint("taken ", i), 0, engine.ErrVersionMismatch)
		}
		for round := range 3 {
			for i := range maxOwned {
				b.setOwn(fmt.Sprint("brief ", round, " ", i), time.Second, nil)
			}
			time.Sleep(2 * time.Second)
		}
		for i := range maxOwned {
			b.setOwn(fmt.Sprint("held ", i), 0, nil)
		}
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Set{Channel: "map:a", Key: "one more", Own: true}})
		b.want("error")
	})
}

// A deletion for a session that was gone, which the engine could not commit for a while, is not for what the session set
// when it was back.
func TestReleaseSparesWhatIsSetAgain(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		resume := b.frames()[0].(wire.Welcome).Resume
		b.setOwn("x", 0, nil)
		set, _ := b.engine.last()
		b.link.Lost()
		time.Sleep(leaveGrace + 2*time.Second)
		release, _ := b.engine.last()
		if !release.Delete || release.IfOwner != set.Owner {
			t.Fatalf("proposed %+v, want the deletion of a key of %q", release, set.Owner)
		}
		b.connect()
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Resume: resume}})
		if !b.frames()[0].(wire.Welcome).Resumed {
			t.Fatal("the session did not go on")
		}
		b.engine.answer(engine.ErrUnavailable) // the deletion will be proposed again
		b.setOwn("x", 0, nil)
		again, _ := b.engine.last()
		time.Sleep(2 * time.Second)
		release, _ = b.engine.last()
		if !release.Delete || release.IfOwner == again.Owner {
			t.Fatalf("proposed %+v, want a deletion of what is not of %q", release, again.Owner)
		}
	})
}

// A change that the engine commits after its session is gone for good leaves no key behind.
func TestOwnedKeyCommittedTooLate(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		b.frames()
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Set{Channel: "map:a", Key: "x", Own: true}})
		set, _ := b.engine.last()
		b.link.session.Disconnect(wire.CloseDisconnected, "")
		time.Sleep(2 * time.Second)
		if _, n := b.engine.last(); n != 2 {
			t.Fatalf("%d proposals, want the set and a deletion", n)
		}
		b.engine.answer(nil)
		time.Sleep(2 * time.Second)
		if release, n := b.engine.last(); n != 3 || release.IfOwner != set.Owner {
			t.Fatalf("the last of %d proposals is %+v, want one more deletion", n, release)
		}
	})
}

// A node that the others took for dead, and that goes on: the session that owned something is over, what it may have set since
// is deleted, and the client comes back to a new session, where its key counts as another's.
func TestRenewedNodeEndsOwners(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		welcome := b.frames()[0].(wire.Welcome)
		b.setOwn("x", 0, nil)
		set, _ := b.engine.last()
		b.node.Renewed(engine.Node{})
		if bye := b.frames()[0].(wire.Bye); bye.Code != wire.CloseReconnect {
			t.Fatalf("the client is told %+v", bye)
		}
		time.Sleep(2 * time.Second)
		if release, n := b.engine.last(); n != 2 || !release.Delete || release.IfOwner != set.Owner {
			t.Fatalf("the last of %d proposals is %+v, want the deletion of the key", n, release)
		}
		b.link.Lost()
		b.connect()
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{Resume: welcome.Resume}})
		if again := b.frames()[0].(wire.Welcome); again.Resumed || again.Session == welcome.Session {
			t.Fatalf("the client goes on with its old session: %+v", again)
		}
	})
}
