package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// users are some users' clients, of each user one at every node.
type users struct {
	ctx     context.Context
	nodes   []*node
	lines   []*line // of the node with the same index
	clients map[string][]*client.Client
	subs    map[string]map[string][]*client.Subscription // by user and channel
}

var userChannels = []string{"log:a", "log:b", "log:secret"}

func startUsers(t *testing.T, names ...string) *users {
	t.Helper()
	u := &users{
		ctx:     newCrew(t).ctx,
		clients: make(map[string][]*client.Client),
		subs:    make(map[string]map[string][]*client.Subscription),
	}
	redis := startRedis(t, alwaysSynced...)
	for range nodeCount {
		l := startLine(t, redis.addr())
		u.lines = append(u.lines, l)
		u.nodes = append(u.nodes, startEmbedder(t, "redis://"+l.addr()))
	}
	for _, name := range names {
		u.subs[name] = make(map[string][]*client.Subscription)
		for _, n := range u.nodes {
			c := newRoamer(n.addr).connect(t, client.Options{Token: tokenOf(name)})
			u.clients[name] = append(u.clients[name], c)
			for _, channel := range userChannels {
				sub, err := c.Subscribe(u.ctx, channel, client.SubscribeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				u.subs[name][channel] = append(u.subs[name][channel], sub)
			}
		}
	}
	return u
}

// wantLive checks that every subscription of the users to a channel is told what is published now, and nothing before it.
func (u *users) wantLive(t *testing.T, channel string, names ...string) {
	t.Helper()
	p, err := u.clients[names[0]][0].PublishJSON(u.ctx, channel, "here")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		for i, sub := range u.subs[name][channel] {
			ev, err := sub.Next(u.ctx)
			if err != nil || ev.After() != p.Position {
				t.Errorf("%s at node %d is told %#v, %v in %s", name, i, ev, err, channel)
			}
		}
	}
}

// wantEnded checks that every subscription of a user to a channel ends by itself, with a code and a reason.
func (u *users) wantEnded(t *testing.T, name, channel string, code wire.Code, reason string) {
	t.Helper()
	for i, sub := range u.subs[name][channel] {
		_, err := sub.Next(u.ctx)
		var e *client.Error
		if !errors.As(err, &e) || e.Code != code || e.Reason != reason {
			t.Errorf("%s in %s at node %d: %v, want %v: %s", name, channel, i, err, code, reason)
		}
	}
}

// wantGone checks that the user's clients end, and why.
func (u *users) wantGone(t *testing.T, name string) {
	t.Helper()
	for i, c := range u.clients[name] {
		<-c.Done()
		var e *client.Error
		if err := c.State().Err; !errors.As(err, &e) || e.Code != wire.CloseDisconnected {
			t.Errorf("%s at node %d ends with %v", name, i, err)
		}
	}
}

// What one node is told of a user is done at every node, and to nobody else: one subscription ends; those end that the
// application no longer allows; the sessions end, and do not come back, not even for one who tries anew.
func TestRevocationReachesEveryNode(t *testing.T) {
	t.Parallel()
	run := testkit.Begin("H10")
	u := startUsers(t, "ann", "ben")
	for _, channel := range userChannels {
		u.wantLive(t, channel, "ann", "ben")
	}
	u.nodes[1].order(order{Do: "unsubscribe", User: "ann", Channel: "log:a"})
	u.wantEnded(t, "ann", "log:a", wire.CodeRejected, "enough")
	u.wantLive(t, "log:a", "ben")
	u.wantLive(t, "log:b", "ann", "ben")

	for _, n := range u.nodes {
		n.order(order{Do: "forbid", Channel: "log:secret"})
	}
	u.nodes[2].order(order{Do: "recheck", User: "ann"})
	u.wantEnded(t, "ann", "log:secret", wire.CodeRejected, "no longer")
	u.wantLive(t, "log:secret", "ben") // nobody asked about him
	u.wantLive(t, "log:b", "ann", "ben")

	for _, n := range u.nodes {
		n.order(order{Do: "ban", User: "ann"})
	}
	u.nodes[0].order(order{Do: "disconnect", User: "ann"})
	u.wantGone(t, "ann")
	u.wantEnded(t, "ann", "log:b", wire.CloseDisconnected, "enough")
	for i, n := range u.nodes {
		c := newRoamer(n.addr).connect(t, client.Options{Token: tokenOf("ann")})
		if <-c.Done(); c.State().Err == nil || c.Session() != "" {
			t.Errorf("ann comes back to node %d: %v", i, c.State())
		}
	}
	u.wantLive(t, "log:b", "ben")
	run.Counted = fmt.Sprintf("%d sessions at %d nodes: 1 subscription of each ended, 1 not allowed any more, then the sessions",
		len(u.clients["ann"]), nodeCount)
	run.End(t)
}

// A node is cut off from Redis, and can be told nothing: whoever gives the order learns that, and repeats it until the node is
// back.
func TestRevocationIsConfirmed(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]lineMode{"cut": lineCut, "silent": lineSilent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, u := testkit.Begin("H10"), startUsers(t, "ann")
			away := u.lines[2]
			away.set(mode)
			leave := order{Do: "disconnect", User: "ann"}
			if answer := u.nodes[0].ask(leave); answer != "unconfirmed" {
				t.Errorf("an order that a node did not hear is %s", answer)
			}
			if phase := u.clients["ann"][2].State().Phase; phase != client.PhaseOpen {
				t.Errorf("ann at the node that is cut off: %v", phase)
			}
			away.set(lineOpen)
			tries := 1
			testkit.Eventually(t, "all have heard", func() bool {
				tries++
				return u.nodes[0].ask(leave) == "done"
			})
			u.wantGone(t, "ann")
			run.Counted = fmt.Sprintf("confirmed by all nodes after %d tries", tries)
			run.End(t)
		})
	}
}

// tokenOf is the token of a user of the embedder.
func tokenOf(user string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return user, nil }
}
