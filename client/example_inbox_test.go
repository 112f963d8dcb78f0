package client_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/earshot/earshot/client"
)

// exampleUser connects as a user.
func exampleUser(ctx context.Context, address, user string) *client.Client {
	c, err := client.Connect(ctx, address, client.Options{Token: func(context.Context) (string, error) { return user, nil }})
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// A message from one user to another.
func ExampleInbox() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	ann, ben := exampleUser(ctx, address, "ann"), exampleUser(ctx, address, "ben")
	defer ann.Close(ctx)
	defer ben.Close(ctx)

	inbox := ann.Inbox("ann", client.InboxOptions{})
	sub, err := inbox.Subscribe(ctx, client.SubscribeOptions{Last: 50})
	if err != nil {
		log.Fatal(err)
	}
	hello := client.Message{Data: client.Data{Body: []byte(`"hello"`)}}
	if _, err := ben.Inbox("ben", client.InboxOptions{}).Send(ctx, "ann", hello, client.PublishOptions{}); err != nil {
		log.Fatal(err)
	}
	for ev, err := range sub.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if p, ok := ev.(client.Publication); ok {
			peer, mine := inbox.Peer(p)
			fmt.Printf("%s (mine: %v): %s\n", peer, mine, p.Data.Body)
			return
		}
	}
	// Output: ben (mine: false): "hello"
}

// Where a user stopped reading is known on all of the user's devices.
func ExampleReadCursor() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	phone, laptop := exampleUser(ctx, address, "ann"), exampleUser(ctx, address, "ann")
	defer phone.Close(ctx)
	defer laptop.Close(ctx)
	for n := range 3 {
		if _, err := phone.PublishJSON(ctx, "chat:lobby", n); err != nil {
			log.Fatal(err)
		}
	}

	page, err := phone.History(ctx, "chat:lobby", client.HistoryOptions{})
	if err != nil {
		log.Fatal(err)
	}
	cursor := phone.ReadCursor("chat:lobby", "ann")
	for _, n := range []int{1, 0} { // a lower one changes nothing
		if err := cursor.Move(ctx, page.Publications[n].Place()); err != nil {
			log.Fatal(err)
		}
	}

	moves, err := laptop.ReadCursor("chat:lobby", "ann").Watch(ctx, client.WatchOptions{})
	if err != nil {
		log.Fatal(err)
	}
	move, err := moves.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s has read up to %d\n", move.User, move.Offset)
	// Output: ann has read up to 2
}

// countUnread tells how many messages of a channel a user has not read, whenever that changes, until ctx ends.
func countUnread(ctx context.Context, c *client.Client, channel, user string, tell func(n int, more bool)) error {
	cursor := c.ReadCursor(channel, user)
	place, _, err := cursor.Get(ctx)
	if err != nil {
		return err
	}
	sub, err := c.Subscribe(ctx, channel, client.SubscribeOptions{Since: place.Position, Last: 100})
	if err != nil {
		return err
	}
	defer sub.Close()
	moves, err := cursor.Watch(ctx, client.WatchOptions{})
	if err != nil {
		return err
	}
	defer moves.Close()

	unread := client.NewUnread(user, place, 100)
	ctx, stop := context.WithCancelCause(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		for move, err := range moves.Events(ctx) {
			if err != nil {
				stop(err)
				return
			}
			unread.Move(move)
			tell(unread.Count())
		}
	})
	for ev, err := range sub.Events(ctx) {
		if err != nil {
			stop(err)
			break
		}
		unread.See(ev)
		tell(unread.Count())
	}
	following.Wait()
	return context.Cause(ctx)
}

// How many messages are unread.
func ExampleUnread() {
	address, stop := exampleServer()
	defer stop()
	ctx, end := context.WithCancel(context.Background())
	ann, ben := exampleUser(ctx, address, "ann"), exampleUser(ctx, address, "ben")
	defer ann.Close(context.Background())
	defer ben.Close(context.Background())
	for n := range 3 {
		if _, err := ben.PublishJSON(ctx, "chat:lobby", n); err != nil {
			log.Fatal(err)
		}
	}
	_ = countUnread(ctx, ann, "chat:lobby", "ann", func(n int, _ bool) { // its error is the end of ctx
		if n == 3 {
			fmt.Println(n, "unread")
			end()
		}
	})
	// Output: 3 unread
}
