package client

import (
	"context"
	"fmt"

	"github.com/earshot/earshot/wire"
)

// HistoryOptions say which page of a log to read: after Since, or before Before, or the newest. At most one of the two
// may be set.
type HistoryOptions struct {
	Since, Before string
	Limit         int // 1 to 500; 50 if zero
}

// Page is a part of a log.
type Page struct {
	Publications []Publication // oldest first, whatever the direction
	Position     string        // the channel's newest
	Complete     bool          // nothing is missing between the position that was named and the page
	More         bool          // there is more in the direction of the read
}

// History reads a page of a log, across reconnects, until ctx ends.
func (c *Client) History(ctx context.Context, channel string, opts HistoryOptions) (Page, error) {
	if err := wire.ValidateChannel(channel); err != nil {
		return Page{}, fmt.Errorf("read history of %q: %w", channel, err)
	}
	body, err := c.ask(ctx, wire.History{Channel: channel, Since: opts.Since, Before: opts.Before, Limit: opts.Limit})
	if err != nil {
		return Page{}, fmt.Errorf("read history of %q: %w", channel, err)
	}
	page, ok := body.(wire.Page)
	if !ok {
		return Page{}, fmt.Errorf("read history of %q: the server answered with %T", channel, body)
	}
	out := Page{Position: page.Position, Complete: page.Complete, More: page.More}
	for _, p := range page.Publications {
		p.Channel = channel
		out.Publications = append(out.Publications, fromWire(p))
	}
	return out, nil
}
