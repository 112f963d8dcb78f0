package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/earshot/earshot/internal/chat"
	"github.com/earshot/earshot/internal/config"
)

// What the demo uses when no flag says otherwise: always the same, so that an open page finds the server and its history
// again.
const (
	demoAddr = "127.0.0.1:8000"
	demoData = "./earshot-demo"
)

type demoCommand struct {
	Addr *string `placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one. Default: 127.0.0.1:8000."`
	Data *string `placeholder:"DIR" help:"Folder that keeps what is said. Default: ./earshot-demo."`
}

// Help is printed below the flags.
func (demoCommand) Help() string {
	return "Open the address that is printed in two browsers. Everyone who can reach it may read and write."
}

// Run serves the chat until ctx ends.
func (c *demoCommand) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := c.load()
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(os.Stderr, "Open this address in two browsers. What is said is kept in %s. Ctrl-C stops the server.\n", cfg.Data)
	o := options(cfg)
	o.OnConnect = guest
	return runServer(ctx, cfg, o, chat.Handler(), stdout)
}

// load is the demo's whole configuration: the environment is left out, because it is that of a real server.
func (c *demoCommand) load() (*config.Config, error) {
	given := map[string]string{"addr": demoAddr, "data": demoData}
	for key, value := range flags(c.Addr, c.Data, nil) {
		given[key] = value
	}
	cfg, err := config.Load(config.Source{Flags: given})
	if err != nil {
		return nil, err
	}
	cfg.AllowAnonymous = true
	cfg.Namespaces = map[string]config.Namespace{
		"chat": {
			Kind:    config.KindLog,
			History: config.History{Size: 100_000}, // per room, however old

			Subscribe: config.Anyone, Publish: config.Anyone, ReadHistory: config.Anyone, Presence: config.Anyone,
			ReadCursors: config.Users,
		},
		"inbox": { // direct messages
			Kind:    config.KindInbox,
			History: config.History{Size: 1_000}, // per user: the page reads all of it

			Publish: config.Users,
		},
		"people": { // everybody who is online, whichever room they are in
			Presence: config.Anyone,
		},
		"typing": { // who is writing in the room of the same name
			Kind:       config.KindMap,
			Durability: config.MayLoseTail, // it is over in seconds

			Subscribe: config.Anyone, Publish: config.Anyone,
		},
	}
	return cfg, nil
}
