package client

import (
	"context"
	"time"

	"github.com/earshot/earshot/wire"
)

// renewEarliest is the least time between two refreshes of a token, whatever the server says.
const renewEarliest = 5 * time.Second

// renew gives the server a fresh token before the one that it has expires, for as long as the connection lasts. If there is
// none, the server ends the connection in time, and the next one needs a token anyway.
func (c *Client) renew(l *link) {
	if c.opts.Token == nil {
		return
	}
	left := l.welcome.Expires
	for left > 0 {
		if sleep(l.ctx, renewIn(left)) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(l.ctx, c.opts.ConnectTimeout)
		token, err := c.token(ctx)
		cancel()
		if err != nil {
			c.log.Warn("no fresh token", "err", err)
			left = renewEarliest
			continue
		}
		c.send(l, wire.Refresh{Token: token})
		select {
		case left = <-l.renewed:
		case <-l.ctx.Done():
			return
		}
	}
}

// renewIn returns when a token is refreshed that is good for so long: once nine tenths of that are over.
func renewIn(left time.Duration) time.Duration {
	return max(left*9/10, renewEarliest)
}
