// Command centrifuge serves the library that Centrifugo is built on, as it comes, with everything allowed.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

const addr = "127.0.0.1:9084"

func main() {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(allowAll)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	log.Fatal(http.ListenAndServe(addr, nil))
}

func allowAll(c *centrifuge.Client) {
	c.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
		answer(centrifuge.SubscribeReply{}, nil)
	})
	c.OnPublish(func(_ centrifuge.PublishEvent, answer centrifuge.PublishCallback) {
		answer(centrifuge.PublishReply{}, nil)
	})
}
