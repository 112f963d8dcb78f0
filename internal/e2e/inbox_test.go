package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/wire"
)

// startDemo runs the chat: in it, whoever shows a secret is a user, and has an inbox.
func startDemo(t *testing.T) *program {
	t.Helper()
	p := &program{t: t, args: []string{"demo", "--data=" + filepath.Join(t.TempDir(), "data")}, addr: "127.0.0.1:0"}
	p.start()
	t.Cleanup(func() { p.kill() })
	return p
}

// person is a user of the chat, who may have several devices.
type person struct {
	secret string
	user   string // as the server knows them
}

// meet makes a person known to the server.
func meet(t *testing.T, server *program, name string) *person {
	t.Helper()
	p := &person{secret: strings.Repeat(name, 32)}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := p.device(t, server.url())
	if _, err := c.Subscribe(ctx, "chat:entrance", client.SubscribeOptions{}); err != nil {
		t.Fatal(err)
	}
	p.user = c.State().User
	return p
}

func (p *person) device(t *testing.T, url string) *client.Client {
	t.Helper()
	return connect(t, url, client.Options{Token: func(context.Context) (string, error) { return p.secret, nil }})
}

func (p *person) inbox(c *client.Client) *client.Inbox { return c.Inbox(p.user, client.InboxOptions{}) }

// beginning returns the position before the first publication of a person's inbox.
func (p *person) beginning(ctx context.Context, t *testing.T, server *program) string {
	t.Helper()
	sub, err := p.inbox(p.device(t, server.url())).Subscribe(ctx, client.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	return sub.Position()
}

// Two devices of one user read the same inbox while the network cuts every connection and the server is killed: both get
// everything once, in the same order, and another user gets nothing at any time.
func TestInboxOnTwoDevices(t *testing.T) {
	const (
		messages = 900 // the chat keeps 1,000 in an inbox
		atOnce   = 8
		kills    = 3
		seed     = 11
	)
	server := startDemo(t)
	ann, ben, cid := meet(t, server, "a"), meet(t, server, "b"), meet(t, server, "c")
	crew := newCrew(t)
	origin := ann.beginning(crew.ctx, t, server)
	network := startCutter(t, server.addr, seed, 200, 30_000, 1)
	ledger := checker.New("inbox:"+ann.user, checker.Retention{})
	for range 2 {
		device := ann.device(t, network.url())
		crew.do(func(ctx context.Context) error { return follow(ctx, device, ledger, origin, messages) })
	}
	sender := ben.device(t, network.url())
	crew.do(func(ctx context.Context) error { return publish(ctx, sender, ledger, messages, atOnce) })
	stranger := cid.device(t, server.url())
	for kill := range kills {
		if err := ledger.Wait(crew.ctx, (kill+1)*messages/(kills+1)); err != nil {
			t.Fatal(err)
		}
		server.kill()
		server.start()
		wantNoInbox(crew.ctx, t, stranger, ledger.Channel(), origin)
	}
	crew.wait()
	sum := verdict(t, ledger)
	t.Logf("%d messages, %d deliveries, %d publishes answered on a later try, %d kills, %d cuts",
		sum.Messages, sum.Deliveries, sum.Retried, kills, network.cuts.Load())
	wantAll(t, sum, messages, 2*messages)
	if sum.AllResets() != 0 || network.cuts.Load() < 20 {
		t.Errorf("%d resets, want none; %d cuts, want many", sum.AllResets(), network.cuts.Load())
	}
}

// wantNoInbox checks that a client cannot read a channel in any way, also not with a position of it.
func wantNoInbox(ctx context.Context, t *testing.T, c *client.Client, channel, position string) {
	t.Helper()
	_, subscribed := c.Subscribe(ctx, channel, client.SubscribeOptions{Since: position})
	_, read := c.History(ctx, channel, client.HistoryOptions{Since: position})
	_, watched := c.Map(wire.ReadMap(channel)).Watch(ctx, client.WatchOptions{})
	for what, err := range map[string]error{"subscribe to": subscribed, "read": read, "watch the cursors of": watched} {
		if e := new(client.Error); !errors.As(err, &e) || e.Code != wire.CodeForbidden {
			t.Errorf("may %s the inbox of another user: %v", what, err)
		}
	}
}

// What a user sends from one device is on the recipient's devices and on the sender's others, each once and in order,
// although connections are cut and the server is killed in between.
func TestSentMessagesAreOnAllDevices(t *testing.T) {
	const (
		messages = 120
		seed     = 12
	)
	server := startDemo(t)
	ann, ben := meet(t, server, "a"), meet(t, server, "b")
	network := startCutter(t, server.addr, seed, 200, 6_000, 1)
	crew := newCrew(t)
	half := make(chan struct{})
	sender := ben.device(t, network.url())
	crew.do(func(ctx context.Context) error {
		for n := range messages {
			if n == messages/2 {
				close(half)
			}
			text := client.Message{Data: wire.JSONData(fmt.Append(nil, n))}
			if _, err := ben.inbox(sender).Send(ctx, ann.user, text, client.PublishOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, device := range []struct {
		of, peer *person
		mine     bool
	}{{ann, ben, false}, {ann, ben, false}, {ben, ann, true}} {
		c := device.of.device(t, network.url())
		crew.do(func(ctx context.Context) error {
			return readConversation(ctx, device.of.inbox(c), device.peer.user, device.mine, messages)
		})
	}
	select {
	case <-half:
	case <-crew.ctx.Done():
	}
	server.kill()
	server.start()
	crew.wait()
	t.Logf("%d messages on three devices, %d cuts and a kill", messages, network.cuts.Load())
}

// readConversation reads the numbers from zero to n, all from or all to the peer.
func readConversation(ctx context.Context, inbox *client.Inbox, peer string, mine bool, n int) error {
	sub, err := inbox.Subscribe(ctx, client.SubscribeOptions{Last: n})
	if err != nil {
		return err
	}
	defer sub.Close()
	for next := 0; next < n; {
		ev, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		p, ok := ev.(client.Publication)
		if !ok {
			return fmt.Errorf("%T in %s", ev, sub.Channel())
		}
		var number int
		if err := p.Decode(&number); err != nil {
			return err
		}
		if who, own := inbox.Peer(p); number != next || who != peer || own != mine {
			return fmt.Errorf("%s: number %d with %q (mine: %v), want %d with %q (%v)", sub.Channel(), number, who, own, next, peer, mine)
		}
		next++
	}
	return nil
}
