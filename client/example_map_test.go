package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// A copy of a map that the client keeps up to date.
func ExampleMap_Watch() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	board := c.Map("board:kitchen")
	if _, err := board.SetJSON(ctx, "milk", 2, client.SetOptions{}); err != nil {
		log.Fatal(err)
	}
	watch, err := board.Watch(ctx, client.WatchOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range watch.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch ev := ev.(type) {
		case client.Change:
			fmt.Printf("%s: %s\n", ev.Key, ev.Data.Body)
		case client.Reset:
			fmt.Println("forget all keys, they follow")
		case client.Synced:
			fmt.Println("that is all for now")
			return
		}
	}
	// Output:
	// milk: 2
	// that is all for now
}

// Compare-and-set: of two who change a key at the same time, one is told so and looks again.
func ExampleMap_Set() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	tasks := c.Map("board:tasks")
	if _, err := tasks.SetJSON(ctx, "dishes", "ann", client.SetOptions{If: new(uint64(0))}); err != nil {
		log.Fatal(err)
	}
	_, err = tasks.SetJSON(ctx, "dishes", "ben", client.SetOptions{If: new(uint64(0))})
	if e := new(client.Error); errors.As(err, &e) && e.Code == wire.CodeVersionMismatch {
		fmt.Println("somebody else took it")
	}
	// Output: somebody else took it
}

// say tells the others in a room that this person types, until the message is there.
func say(ctx context.Context, c *client.Client, room, text string, keystrokes <-chan struct{}) error {
	typing := c.Map("typing:" + room)
	for range keystrokes {
		mark := client.SetOptions{TTL: 3 * time.Second, Own: true}
		if _, err := typing.SetJSON(ctx, c.State().User, true, mark); err != nil {
			return err
		}
	}
	if _, err := c.PublishJSON(ctx, "chat:"+room, text); err != nil {
		return err
	}
	_, err := typing.Delete(ctx, c.State().User, client.DeleteOptions{})
	return err
}

// Typing indicators.
func Example_typing() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{Token: func(context.Context) (string, error) { return "ann", nil }})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	watch, err := c.Map("typing:lobby").Watch(ctx, client.WatchOptions{Every: 100 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer watch.Close()
	keystrokes := make(chan struct{}, 1)
	keystrokes <- struct{}{}
	close(keystrokes)
	if err := say(ctx, c, "lobby", "hello", keystrokes); err != nil {
		log.Fatal(err)
	}
	typing, err := c.Map("typing:lobby").Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("typing now:", len(typing))
	// Output: typing now: 0
}

// Who is in a channel.
func ExamplePresence() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	lobby := c.Presence("chat:lobby")
	if err := lobby.Join(ctx, wire.JSONData([]byte(`{"mood":"fine"}`))); err != nil {
		log.Fatal(err)
	}
	watch, err := lobby.Watch(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range watch.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch ev := ev.(type) {
		case client.Here:
			for _, member := range ev.Members {
				fmt.Printf("here: %s\n", member.State.Body)
			}
			return
		case client.Joined:
			fmt.Println(ev.User, "came")
		case client.Updated:
			fmt.Println(ev.User, "has another state")
		case client.Left:
			fmt.Println(ev.User, "went")
		}
	}
	// Output: here: {"mood":"fine"}
}

// A call to the server, and one that the server's application makes to this client.
func ExampleClient_Call() {
	address, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	c.Handle("battery", func(ctx context.Context, call client.Call) (client.Data, error) {
		return client.JSON(map[string]int{"percent": 80})
	})
	answer, err := c.Call(ctx, "ask me back", client.Data{}, client.CallOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", answer.Body)
	// Output: {"percent":80}
}
