package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

type subCommand struct {
	connection
	Since    string   `placeholder:"POSITION" help:"Start after this position, which an earlier line named. For one channel only."`
	Last     int      `placeholder:"N" help:"Start this many publications before the newest."`
	Count    int      `placeholder:"N" help:"End after this many publications."`
	Channels []string `arg:"" name:"channel" help:"What to listen to, such as log:news."`
}

// Run prints a line for each event until there were enough, or ctx ends, which is no failure.
func (s *subCommand) Run(ctx context.Context, stdout io.Writer) error {
	if err := s.check(); err != nil {
		return usageError{err}
	}
	c, err := s.connect(ctx, client.Options{OnState: reporter(os.Stderr)})
	if err != nil {
		return err
	}
	defer closeClient(c)
	err = s.listen(ctx, c, newEventPrinter(stdout, s.Count))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// check finds what is wrong with the command line before anything is sent.
func (s *subCommand) check() error {
	if s.Since != "" && len(s.Channels) > 1 {
		return errors.New("--since: a position belongs to one channel, but several are named")
	}
	if len(s.Since) > wire.MaxPositionBytes {
		return fmt.Errorf("--since: at most %d bytes, not %d", wire.MaxPositionBytes, len(s.Since))
	}
	if s.Last < 0 || s.Last > wire.MaxLast {
		return fmt.Errorf("--last: from 0 to %d, not %d", wire.MaxLast, s.Last)
	}
	if s.Count < 0 {
		return fmt.Errorf("--count: must not be negative, but is %d", s.Count)
	}
	for _, channel := range s.Channels {
		if err := wire.ValidateChannel(channel); err != nil {
			return fmt.Errorf("channel %q: %w", channel, reason(err))
		}
	}
	return nil
}

// listen subscribes to every channel and prints until the printer has enough, or one channel ends.
func (s *subCommand) listen(ctx context.Context, c *client.Client, p *eventPrinter) error {
	ctx, stop := context.WithCancelCause(ctx)
	var listening sync.WaitGroup
	for _, channel := range s.Channels {
		listening.Go(func() { stop(s.follow(ctx, c, p, channel)) })
	}
	listening.Wait()
	stop(nil) // without effect: follow never returns without a reason
	if err := context.Cause(ctx); !errors.Is(err, errEnough) {
		return err
	}
	return nil
}

// follow prints one channel's events. It returns errEnough, or what ended it before.
func (s *subCommand) follow(ctx context.Context, c *client.Client, p *eventPrinter, channel string) error {
	sub, err := c.Subscribe(ctx, channel, client.SubscribeOptions{Since: s.Since, Last: s.Last})
	if err != nil {
		return err
	}
	defer sub.Close()
	for ev, err := range sub.Events(ctx) {
		if err != nil {
			return fmt.Errorf("listen to %q: %w", channel, err)
		}
		if err := p.print(ev); err != nil {
			return err
		}
	}
	return nil
}

// reporter returns a function that says on w when the connection is lost and when it is back.
func reporter(w io.Writer) func(client.State) {
	var lost bool
	return func(s client.State) {
		switch s.Phase {
		case client.PhaseConnecting:
			lost = true
			fmt.Fprintf(w, "earshot sub: not connected, trying again: %v\n", s.Err)
		case client.PhaseOpen:
			if lost {
				fmt.Fprintln(w, "earshot sub: connected")
			}
			lost = false
		}
	}
}
