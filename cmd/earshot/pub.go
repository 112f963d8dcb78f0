package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// closePatience is how long a command waits for the server to say goodbye.
const closePatience = 2 * time.Second

type pubCommand struct {
	connection
	ID      string        `placeholder:"ID" help:"Idempotency id: publishing the same again within 5 minutes changes nothing."`
	Timeout time.Duration `default:"10s" help:"Give up after this long."`
	Channel string        `arg:"" help:"Where to publish, such as log:news."`
	JSON    string        `arg:"" name:"json" help:"The message's data. A single - reads it from the standard input."`
}

// pubLine is what pub prints.
type pubLine struct {
	Channel   string `json:"channel"`
	Position  string `json:"position"`
	Offset    uint64 `json:"offset"`
	Duplicate bool   `json:"duplicate"`
}

// Run publishes one message and prints where it was committed.
func (p *pubCommand) Run(ctx context.Context, stdout io.Writer) error {
	data, err := p.data(os.Stdin)
	if err != nil {
		return err
	}
	if err := p.check(data); err != nil {
		return usageError{err}
	}
	c, err := p.connect(ctx, client.Options{})
	if err != nil {
		return err
	}
	defer closeClient(c)
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	r, err := c.Publish(ctx, p.Channel, client.Message{Data: wire.JSONData(data)}, client.PublishOptions{Idem: p.ID})
	if err != nil {
		return err
	}
	line := pubLine{Channel: p.Channel, Position: r.Position, Offset: r.Offset, Duplicate: r.Duplicate}
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// data returns the message's text, read from stdin if the command line says so.
func (p *pubCommand) data(stdin io.Reader) ([]byte, error) {
	if p.JSON != "-" {
		return []byte(p.JSON), nil
	}
	// One byte more than is allowed is enough to refuse it.
	text, err := io.ReadAll(io.LimitReader(stdin, wire.MaxFrameBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return text, nil
}

// check finds what is wrong with the command line before anything is sent.
func (p *pubCommand) check(data []byte) error {
	if p.Timeout <= 0 {
		return fmt.Errorf("--timeout: must be more than 0, not %v", p.Timeout)
	}
	if len(p.ID) > wire.MaxIdemBytes {
		return fmt.Errorf("--id: at most %d bytes, not %d", wire.MaxIdemBytes, len(p.ID))
	}
	if err := wire.ValidateChannel(p.Channel); err != nil {
		return fmt.Errorf("channel %q: %w", p.Channel, reason(err))
	}
	if err := wire.ValidJSON(data); err != nil {
		return fmt.Errorf("data: %w", reason(err))
	}
	return nil
}

// reason returns the reason of a ProtocolError alone: whoever typed a command has no use for the code.
func reason(err error) error {
	if e := new(wire.ProtocolError); errors.As(err, &e) && e.Reason != "" {
		return errors.New(e.Reason)
	}
	return err
}

// closeClient ends a command's connection. What the command had to say is said, so a server that does not answer any
// more is no failure of the command.
func closeClient(c *client.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = c.Close(ctx)
}
