package client_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// startInboxes runs a server in which a token is the user, with inboxes and a log that has read cursors.
func startInboxes(t *testing.T) *testkit.Server {
	t.Helper()
	return testkit.Start(t, earshot.Options{
		Namespaces: map[string]earshot.Namespace{
			"inbox": {Kind: earshot.Inbox, Publish: earshot.Users},
			"chat": {
				Kind: earshot.Log, Subscribe: earshot.Anyone, Publish: earshot.Anyone, ReadHistory: earshot.Anyone,
				ReadCursors: earshot.Users,
			},
		},
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token}, nil
		},
	})
}

func dialAs(t *testing.T, srv *testkit.Server, user string) *client.Client {
	t.Helper()
	c, err := client.Connect(context.Background(), srv.URL, client.Options{
		Token: func(context.Context) (string, error) { return user, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func wantRefusal(t *testing.T, what string, err error, code wire.Code) {
	t.Helper()
	if e := new(client.Error); !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want %v", what, err, code)
	}
}

// contents returns what an inbox has, in short.
func contents(ctx context.Context, t *testing.T, b *client.Inbox, c *client.Client) (all []string) {
	t.Helper()
	page, err := c.History(ctx, b.Channel(), client.HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Publications {
		peer, mine := b.Peer(p)
		all = append(all, fmt.Sprintf("%s %v %s", peer, mine, p.Data.Body))
	}
	return all
}

func TestSend(t *testing.T) {
	srv, ctx := startInboxes(t), limited(t)
	atAnn, atBen := dialAs(t, srv, "ann"), dialAs(t, srv, "ben")
	ann, ben := atAnn.Inbox("ann", client.InboxOptions{}), atBen.Inbox("ben", client.InboxOptions{})
	text := func(v string) client.Message {
		return client.Message{Data: wire.JSONData([]byte(v)), Tags: map[string]string{"mood": "fine"}}
	}
	hello := text("1")
	for range 2 { // the second makes up for nothing
		p, err := ben.Send(ctx, "ann", hello, client.PublishOptions{Idem: "k"})
		if err != nil || p.Channel != "inbox:ann" || p.Offset != 1 {
			t.Fatalf("sent as %+v, %v", p, err)
		}
	}
	if !maps.Equal(hello.Tags, map[string]string{"mood": "fine"}) {
		t.Errorf("the caller's tags are %v now", hello.Tags)
	}
	if _, err := ben.Send(ctx, "ben", text("2"), client.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := contents(ctx, t, ann, atAnn); fmt.Sprint(got) != "[ben false 1]" {
		t.Errorf("the recipient has %q", got)
	}
	if got := contents(ctx, t, ben, atBen); fmt.Sprint(got) != "[ann true 1 ben true 2]" {
		t.Errorf("the sender has %q", got)
	}
}

// What could not be kept is not sent either.
func TestSendWhatHasNoCopy(t *testing.T) {
	srv, ctx := startInboxes(t), limited(t)
	atAnn, atBen := dialAs(t, srv, "ann"), dialAs(t, srv, "ben")
	ben := atBen.Inbox("ben", client.InboxOptions{})
	full := client.Message{Tags: make(map[string]string)}
	for i := range wire.MaxTags {
		full.Tags[fmt.Sprint(i)] = "x"
	}
	_, err := ben.Send(ctx, "ann", full, client.PublishOptions{})
	wantRefusal(t, "too many tags", err, wire.CodeTooLarge)
	_, err = ben.Send(ctx, "ann", client.Message{}, client.PublishOptions{Idem: strings.Repeat("k", wire.MaxIdemBytes)})
	wantRefusal(t, "an id too long", err, wire.CodeTooLarge)
	_, err = ben.Send(ctx, "", client.Message{}, client.PublishOptions{})
	wantRefusal(t, "to nobody", err, wire.CodeBadChannel)
	if got := contents(ctx, t, atAnn.Inbox("ann", client.InboxOptions{}), atAnn); len(got) != 0 {
		t.Errorf("the recipient has %q", got)
	}
}

func TestReadCursorOfARealServer(t *testing.T) {
	srv, ctx := startInboxes(t), limited(t)
	phone, laptop := dialAs(t, srv, "ann"), dialAs(t, srv, "ann")
	var places []client.Place
	for n := range 3 {
		p, err := phone.PublishJSON(ctx, "chat:a", n)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, client.Place{Offset: p.Offset, Position: p.Position})
	}
	cursor := phone.ReadCursor("chat:a", "ann")
	if at, ok, err := cursor.Get(ctx); ok || err != nil {
		t.Errorf("before it was moved it is at %v, %v", at, err)
	}
	watch, err := laptop.ReadCursor("chat:a", "ann").Watch(ctx, client.WatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	for _, n := range []int{1, 0, 2} {
		if err := cursor.Move(ctx, places[n]); err != nil {
			t.Fatal(err)
		}
	}
	for last := (client.Place{}); last != places[2]; {
		move, err := watch.Next(ctx)
		if err != nil || move.User != "ann" || move.Offset <= last.Offset {
			t.Fatalf("moved from %v to %+v, %v", last, move, err)
		}
		last = move.Place
	}
	if at, ok := watch.Place("ann"); !ok || at != places[2] || !watch.Synced() {
		t.Errorf("the watch has it at %v", at)
	}
	if at, ok, err := cursor.Get(ctx); !ok || err != nil || at != places[2] {
		t.Errorf("it is at %v, %v", at, err)
	}

	err = phone.ReadCursor("chat:b", "ann").Move(ctx, places[0])
	wantRefusal(t, "a place of another log", err, wire.CodeBadPosition)
	err = phone.ReadCursor("chat:a", "ben").Move(ctx, places[0])
	wantRefusal(t, "the cursor of another user", err, wire.CodeForbidden)
	wantRefusal(t, "no place", cursor.Move(ctx, client.Place{}), wire.CodeBadFrame)

	// What the server's application does with the key is told, too.
	if _, err := srv.Delete(ctx, "read:chat:a", "ann", earshot.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if move, err := watch.Next(ctx); err != nil || move.User != "ann" || move.Place != (client.Place{}) {
		t.Errorf("told %+v, %v, after it was deleted", move, err)
	}
	if at, ok := watch.Place("ann"); ok {
		t.Errorf("after it was deleted it is at %v", at)
	}
	if _, err := srv.Set(ctx, "read:chat:a", "ann", earshot.JSON("nonsense"), earshot.SetOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := cursor.Get(ctx); err == nil {
		t.Error("nonsense is a cursor")
	}
	if err := cursor.Move(ctx, places[0]); err != nil {
		t.Errorf("nonsense cannot be replaced: %v", err)
	}
}
