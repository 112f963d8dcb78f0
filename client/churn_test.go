package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// Close, subscribe, publish, read and disconnect at once: nothing deadlocks, leaks or fails in an unforeseen way.
func TestChurn(t *testing.T) {
	server := testkit.Start(t, earshot.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var working sync.WaitGroup
	for i := range 20 {
		c, err := client.Connect(ctx, server.URL, client.Options{BackoffBase: time.Millisecond, QueueEvents: 2})
		if err != nil {
			t.Fatal(err)
		}
		for j := range 4 {
			channel := fmt.Sprint("log:", (i+j)%3)
			working.Go(func() { churn(ctx, t, c, channel) })
		}
		working.Go(func() {
			for range i {
				if _, err := c.PublishJSON(ctx, "log:0", i); err != nil {
					t.Error(err)
				}
			}
			if err := c.Close(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
}

// churn works until the client is closed.
func churn(ctx context.Context, t *testing.T, c *client.Client, channel string) {
	for n := 0; ; n++ {
		err := churnOnce(ctx, c, channel, n)
		if errors.Is(err, client.ErrClosed) {
			return
		}
		var e *client.Error
		twice := errors.As(err, &e) && e.Code == wire.CodeAlreadySubscribed
		if err != nil && !twice && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			t.Error(err)
			return
		}
	}
}

func churnOnce(ctx context.Context, c *client.Client, channel string, n int) error {
	if _, err := c.PublishJSON(ctx, channel, n); err != nil {
		return err
	}
	sub, err := c.Subscribe(ctx, channel, client.SubscribeOptions{Last: 5})
	if err != nil {
		return err
	}
	defer sub.Close()
	for range n % 8 {
		// One that comes back late finds a context that is over.
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		_, err := sub.Next(short)
		cancel()
		if err != nil {
			return err
		}
	}
	_, err = c.History(ctx, channel, client.HistoryOptions{Limit: 3})
	return err
}
