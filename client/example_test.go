package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
)

func Example() {
	address, stop := exampleServer()
	defer stop()

	ctx := context.Background()
	c, err := client.Connect(ctx, address, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(ctx)

	lobby, err := c.Subscribe(ctx, "chat:lobby", client.SubscribeOptions{Last: 50})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.PublishJSON(ctx, "chat:lobby", "hello"); err != nil {
		log.Fatal(err)
	}
	for ev, err := range lobby.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch ev := ev.(type) {
		case client.Publication:
			fmt.Printf("%d: %s\n", ev.Offset, ev.Data.Body)
			return
		case client.Reset:
			fmt.Println("there is a gap before what follows")
		}
	}
	// Output: 1: "hello"
}

// exampleServer starts a server in this process and returns its address.
func exampleServer() (address string, stop func()) {
	dir, err := os.MkdirTemp("", "earshot")
	if err != nil {
		log.Fatal(err)
	}
	chat := earshot.Namespace{
		Kind: earshot.Log, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone, Presence: earshot.Anyone,
		ReadCursors: earshot.Users,
	}
	keyed := earshot.Namespace{Kind: earshot.Map, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone}
	inbox := earshot.Namespace{Kind: earshot.Inbox, Publish: earshot.Users}
	var srv *earshot.Server
	srv, err = earshot.New(earshot.Options{
		Data:       dir,
		Namespaces: map[string]earshot.Namespace{"chat": chat, "board": keyed, "typing": keyed, "inbox": inbox},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token}, nil // a real one checks a signature
		},
		OnCall: func(ctx context.Context, s earshot.Session, _ earshot.CallRequest) (earshot.Data, error) {
			return srv.Call(ctx, s.ID(), "battery", earshot.Data{})
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := srv.Run(ctx); err != nil {
			log.Print(err)
		}
	})
	h := httptest.NewServer(srv)
	return h.URL, func() {
		cancel()
		running.Wait()
		h.Close()
		if err := os.RemoveAll(dir); err != nil {
			log.Print(err)
		}
	}
}
