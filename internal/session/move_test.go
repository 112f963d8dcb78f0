package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/earshot/earshot/wire"
)

// A session goes on elsewhere once what is under way has been answered: with its secret, its keys, and its answers.
func TestDepartAndArrive(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		hello := wire.Hello{Sender: "0123456789abcdef", Heartbeat: 10 * time.Second}
		b.link.Receive(wire.ClientFrame{ID: 1, Body: hello})
		b.want("welcome")
		s := b.link.session
		b.link.Receive(wire.ClientFrame{ID: 2, Body: wire.Set{Channel: "map:a", Key: "k", Own: true}})
		patience, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if _, err := b.link.Depart(patience); !errors.Is(err, ErrBusy) {
			b.Fatalf("with a commit under way it departs with %v", err)
		}
		b.engine.answer(nil)
		p, err := b.link.Depart(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if said := b.encoder.decode(p.Said); len(said) != 1 || said[0].ID != 2 {
			b.Errorf("it takes %v along", said)
		}
		if _, err := b.link.Depart(b.Context()); !errors.Is(err, ErrOver) || len(b.node.Sessions(func(*Session) bool { return true })) > 0 {
			b.Errorf("it departs twice, or stays: %v", err)
		}
		time.Sleep(leaveGrace + 2*time.Second)
		if _, n := b.engine.last(); n != 1 {
			b.Errorf("its key was let go of")
		}

		b.connect()
		if err := b.link.Arrive(hello, p); err != nil {
			b.Fatal(err)
		}
		b.want()
		if again := b.link.session; again.resumeSecret() != s.resumeSecret() || b.link.sender != hello.Sender {
			b.Error("it is another session")
		}
		time.Sleep(11 * time.Second)
		b.want("ping")
		b.link.session.Disconnect(wire.CloseDisconnected, "")
		time.Sleep(2 * time.Second)
		if change, _ := b.engine.last(); !change.Delete || change.IfOwner != s.id+".0" {
			b.Errorf("at the end it proposes %+v", change)
		}
	})
}

// A client that is somebody else by now does not get the session.
func TestArriveAsAnother(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		if err := b.link.Arrive(wire.Hello{}, Passport{Session: "s", User: "ann"}); err == nil || b.link.Open() {
			b.Error("it has a session")
		}
	})
}
