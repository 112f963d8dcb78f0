package earshot_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
)

// A server with one retained namespace, and a client that reads what was published.
func Example() {
	folder, err := os.MkdirTemp("", "earshot")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	srv, err := earshot.New(earshot.Options{
		Data: folder,
		Namespaces: map[string]earshot.Namespace{
			"chat": {Kind: earshot.Log, Subscribe: earshot.Anyone, ReadHistory: earshot.Anyone},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- srv.Run(ctx) }()
	web := httptest.NewServer(srv) // http.Handle("/live/", srv) in a program of its own
	defer web.Close()

	receipt, err := srv.Publish(ctx, "chat:lobby", earshot.JSON("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("committed at offset", receipt.Offset)

	c, err := client.Connect(ctx, web.URL, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sub, err := c.Subscribe(ctx, "chat:lobby", client.SubscribeOptions{Last: 10})
	if err != nil {
		log.Fatal(err)
	}
	event, err := sub.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", event.(client.Publication).Data.Body)

	c.Close(ctx)
	stop()
	<-ended
	// Output:
	// committed at offset 1
	// "hello"
}

// OnConnect says who a client is; OnPublish refuses what the application does not want.
func ExampleOptions_hooks() {
	options := earshot.Options{
		Data:       "./data",
		Namespaces: map[string]earshot.Namespace{"chat": {Kind: earshot.Log, Subscribe: earshot.Users, Publish: earshot.Users}},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			user, ok := lookUp(r.Token)
			if !ok {
				return earshot.Identity{}, earshot.Unauthorized("unknown token")
			}
			return earshot.Identity{User: user}, nil
		},
		OnPublish: func(_ context.Context, s earshot.Session, p *earshot.PublishRequest) error {
			if len(p.Data.Body) > 1_000 {
				return earshot.Reject("that is too long, " + s.User())
			}
			return nil
		},
	}
	fmt.Println(len(options.Namespaces), "namespace")
	// Output: 1 namespace
}

func lookUp(token string) (user string, ok bool) { return "ann", token == "secret" }
