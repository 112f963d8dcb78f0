package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"unicode/utf8"

	"github.com/earshot/earshot/wire"
)

// PublishOptions adjust one publish.
type PublishOptions struct {
	// Idem is the idempotency id: the same id with the same message is committed once, for 5 minutes. Empty: the
	// client makes one, which covers its own repeats.
	Idem string
}

// Published is the answer to a publish that was committed.
type Published = wire.Published

// Publish appends a message to a channel and returns once it is committed. Until then, and until ctx ends, it is sent
// again with the same id whenever the connection broke or the server could not commit for the moment.
// Messages go out in the order of the calls; after a broken connection they go out again in that order. One that the
// server could not commit for the moment goes out again behind those that were called later.
//
// Errors: an *Error if the server refused it for good, ErrOutcomeUnknown, ErrClosed, or that of ctx; after the last
// two the message may or may not have been committed.
func (c *Client) Publish(ctx context.Context, channel string, m Message, opts PublishOptions) (Published, error) {
	p := wire.Publish{Channel: channel, Idem: opts.Idem, Message: m}
	if p.Idem == "" {
		p.Idem = rand.Text()
	}
	if err := checkPublish(p); err != nil {
		return Published{}, fmt.Errorf("publish to %q: %w", channel, err)
	}
	body, err := c.ask(ctx, p)
	if err != nil {
		return Published{}, fmt.Errorf("publish to %q: %w", channel, err)
	}
	published, ok := body.(wire.Published)
	if !ok {
		return Published{}, fmt.Errorf("publish to %q: the server answered with %T", channel, body)
	}
	return published, nil
}

// PublishJSON publishes v, encoded by encoding/json, as Publish does.
func (c *Client) PublishJSON(ctx context.Context, channel string, v any) (Published, error) {
	data, err := JSON(v)
	if err != nil {
		return Published{}, fmt.Errorf("publish to %q: %w", channel, err)
	}
	return c.Publish(ctx, channel, Message{Data: data}, PublishOptions{})
}

// checkPublish refuses what would not survive being encoded: text that is not UTF-8, and data that is not JSON.
func checkPublish(p wire.Publish) error {
	if err := wire.ValidateChannel(p.Channel); err != nil {
		return err
	}
	if !utf8.ValidString(p.Idem) {
		return wire.Errorf(wire.CodeBadFrame, "the idempotency id is not UTF-8")
	}
	return wire.ValidateMessage(p.Message)
}
