package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/earshot/earshot/client"
)

// fill publishes n messages into a channel and returns their places: that of offset o is at o-1.
func fill(ctx context.Context, t *testing.T, c *client.Client, channel string, n int) []client.Place {
	t.Helper()
	places := make([]client.Place, n)
	for i := range places {
		p, err := c.PublishJSON(ctx, channel, i)
		if err != nil {
			t.Fatal(err)
		}
		places[i] = client.Place{Offset: p.Offset, Position: p.Position}
	}
	return places
}

// wander moves a cursor to places at random, and checks after each answer, over a network that works, that the cursor is at
// least there. It says so each time to moved, which must have room.
func wander(ctx context.Context, cursor, truth *client.ReadCursor, places []client.Place, seed uint64, moves int, moved chan<- struct{}) error {
	random := rand.New(rand.NewPCG(seed, 0))
	for range moves {
		to := places[random.IntN(len(places))]
		if err := cursor.Move(ctx, to); err != nil {
			return err
		}
		at, ok, err := truth.Get(ctx)
		if err != nil {
			return err
		}
		if !ok || at.Offset < to.Offset {
			return fmt.Errorf("the cursor is at %d after it was moved to %d", at.Offset, to.Offset)
		}
		moved <- struct{}{}
	}
	return nil
}

// observe watches the cursors of a channel until each of the users is at the end, and checks that none ever goes back.
func observe(ctx context.Context, cursor *client.ReadCursor, end uint64, users ...string) error {
	watch, err := cursor.Watch(ctx, client.WatchOptions{})
	if err != nil {
		return err
	}
	defer watch.Close()
	at := make(map[string]uint64)
	for move, err := range watch.Events(ctx) {
		if err != nil {
			return err
		}
		if move.Offset < at[move.User] {
			return fmt.Errorf("the cursor of %q went from %d to %d", move.User, at[move.User], move.Offset)
		}
		at[move.User] = move.Offset
		left := 0
		for _, user := range users {
			if at[user] < end {
				left++
			}
		}
		if left == 0 {
			return nil
		}
	}
	return nil
}

// Three devices of one user and one of another move their cursors up and down at the same time, through a network that cuts
// every connection and a server that is killed: no cursor ever goes back for anyone who watches, each is at least where any
// of its devices was told, and in the end all agree.
func TestCursorsOnlyGoUp(t *testing.T) {
	const (
		messages = 100
		moves    = 60 // of each device
		kills    = 2
		seed     = 21
		room     = "chat:room"
	)
	server := startDemo(t)
	ann, ben := meet(t, server, "a"), meet(t, server, "b")
	network := startCutter(t, server.addr, seed, 200, 8_000, 1)
	crew := newCrew(t)
	places := fill(crew.ctx, t, ben.device(t, server.url()), room, messages)
	below := places[:messages-1] // the last is the end

	const devices = 4
	moved := make(chan struct{}, devices*moves)
	for i, who := range []*person{ann, ann, ann, ben} {
		cursor := who.device(t, network.url()).ReadCursor(room, who.user)
		truth := who.device(t, server.url()).ReadCursor(room, who.user)
		crew.do(func(ctx context.Context) error { return wander(ctx, cursor, truth, below, uint64(i), moves, moved) })
		crew.do(func(ctx context.Context) error { return observe(ctx, cursor, messages, ann.user, ben.user) })
	}
	for n := range devices * moves {
		if n > 0 && n%(devices*moves/(kills+1)) == 0 {
			server.kill()
			server.start()
		}
		select {
		case <-moved:
		case <-crew.ctx.Done():
			crew.wait()
		}
	}
	for _, who := range []*person{ann, ben} {
		if err := who.device(t, network.url()).ReadCursor(room, who.user).Move(crew.ctx, places[messages-1]); err != nil {
			t.Fatal(err)
		}
	}
	crew.wait()
	t.Logf("%d moves, %d kills, %d cuts", devices*moves, kills, network.cuts.Load())
	if network.cuts.Load() < 10 {
		t.Error("the network was too good for this test to mean much")
	}
}

// counter is a device that follows a channel and counts what its user has not read.
type counter struct {
	cursor *client.ReadCursor
	unread *client.Unread

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when something was counted; guarded by mu
}

// count follows the log and the cursor until ctx ends.
func (n *counter) count(crew *crew, c *client.Client, channel, user string) {
	n.cursor, n.unread, n.changed = c.ReadCursor(channel, user), client.NewUnread(user, client.Place{}, 100), make(chan struct{})
	crew.do(func(ctx context.Context) error {
		sub, err := c.Subscribe(ctx, channel, client.SubscribeOptions{Last: 100})
		if err != nil {
			return err
		}
		for ev, err := range sub.Events(ctx) {
			if err != nil {
				return ended(ctx, err)
			}
			n.unread.See(ev)
			n.tell()
		}
		return nil
	})
	crew.do(func(ctx context.Context) error {
		moves, err := n.cursor.Watch(ctx, client.WatchOptions{})
		if err != nil {
			return err
		}
		for move, err := range moves.Events(ctx) {
			if err != nil {
				return ended(ctx, err)
			}
			n.unread.Move(move)
			n.tell()
		}
		return nil
	})
}

// ended leaves out the error of a test that is over.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (n *counter) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

// want waits until so many are unread.
func (n *counter) want(ctx context.Context, t *testing.T, unread int) {
	t.Helper()
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		got, _ := n.unread.Count()
		if got == unread {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%d unread, want %d", got, unread)
		}
	}
}

// Two devices of a user agree on what is unread: after each is read on one, also if the other was offline, or the server
// was killed meanwhile.
func TestUnreadAgreesOnTwoDevices(t *testing.T) {
	const room = "chat:room"
	server := startDemo(t)
	ann, ben := meet(t, server, "a"), meet(t, server, "b")
	network := startCutter(t, server.addr, 22, 1<<40, 1<<41, 0)
	crew := newCrew(t)
	phone, laptop := new(counter), new(counter)
	phone.count(crew, ann.device(t, network.url()), room, ann.user)
	laptop.count(crew, ann.device(t, server.url()), room, ann.user)
	both := func(unread int) {
		t.Helper()
		phone.want(crew.ctx, t, unread)
		laptop.want(crew.ctx, t, unread)
	}
	move := func(on *counter, to client.Place) {
		t.Helper()
		if err := on.cursor.Move(crew.ctx, to); err != nil {
			t.Fatal(err)
		}
	}

	places := fill(crew.ctx, t, ben.device(t, server.url()), room, 10)
	both(10)
	move(phone, places[3])
	both(6)
	places = append(places, fill(crew.ctx, t, ann.device(t, server.url()), room, 2)...) // one's own are not unread
	places = append(places, fill(crew.ctx, t, ben.device(t, server.url()), room, 1)...)
	both(7)
	network.setDown(true)
	move(laptop, places[7])
	laptop.want(crew.ctx, t, 3)
	network.setDown(false)
	both(3)
	server.kill()
	server.start()
	both(3)
	move(laptop, places[5])
	move(phone, places[12])
	both(0)
	crew.stop(nil)
}
