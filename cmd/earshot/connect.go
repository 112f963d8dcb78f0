package main

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/client"
)

// connection is what commands that talk to a server have in common.
type connection struct {
	URL       string `default:"http://127.0.0.1:8000" env:"EARSHOT_URL" help:"The server's base address."`
	Transport string `default:"auto" enum:"auto,ws,sse,stream,poll" help:"How to talk to it: ws (WebSocket), or over HTTP by stream, sse or poll; auto finds out what works."`
	Token     string `placeholder:"TOKEN" env:"EARSHOT_TOKEN" help:"Says to the server who you are. Others on this machine can see it, unless it is in the environment."`
}

// connect returns a client with options for the server.
func (c *connection) connect(ctx context.Context, o client.Options) (*client.Client, error) {
	o.Transport = client.Transport(c.Transport)
	if c.Token != "" {
		o.Token = func(context.Context) (string, error) { return c.Token, nil }
	}
	connected, err := client.Connect(ctx, c.URL, o)
	if err != nil {
		return nil, usageError{fmt.Errorf("--url: %w", err)}
	}
	return connected, nil
}
