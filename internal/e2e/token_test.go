package e2e

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// gatekeeper is an application's idea of tokens: each is the time at which it expires, in nanoseconds.
type gatekeeper struct {
	asked   atomic.Int64
	expired atomic.Int64 // tokens that had expired when they were shown
	banned  atomic.Bool
}

func (g *gatekeeper) connect(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
	g.asked.Add(1)
	if g.banned.Load() {
		return earshot.Identity{}, earshot.Unauthorized("banned")
	}
	expires, err := strconv.ParseInt(r.Token, 10, 64)
	if err != nil {
		return earshot.Identity{}, earshot.Reject("no such token")
	}
	if time.Now().UnixNano() > expires {
		g.expired.Add(1)
		return earshot.Identity{}, &wire.ProtocolError{Code: wire.CodeTokenExpired}
	}
	return earshot.Identity{User: "ann"}, nil
}

// A client whose token expired while its network was down asks for a fresh one before it shows itself again, and goes on
// where it was. One that is refused for good ends, and does not try again.
func TestTokenExpiredWhileAsleep(t *testing.T) {
	const valid = time.Second
	run := testkit.Begin("L5")
	gate := new(gatekeeper)
	srv := testkit.Start(t, earshot.Options{OnConnect: gate.connect})
	network := startCutter(t, hostOf(srv.URL), 1, 1<<40, 1<<41, 0)
	var issued atomic.Int64
	seen := newStates()
	c := connect(t, network.url(), client.Options{
		OnState: seen.add,
		Token: func(context.Context) (string, error) {
			issued.Add(1)
			return fmt.Sprint(time.Now().Add(valid).UnixNano()), nil
		},
	})
	crew := newCrew(t)
	opened, _, err := seen.wait(crew.ctx, client.PhaseOpen, 1)
	if err != nil {
		t.Fatal(err)
	}
	naps := testkit.Scale(2, 10)
	for nap := range naps {
		network.setDown(true)
		<-time.After(valid + 100*time.Millisecond)
		network.setDown(false)
		state, _, err := seen.wait(crew.ctx, client.PhaseOpen, nap+2)
		if err != nil || !state.Resumed || state.Session != opened.Session || state.User != "ann" {
			t.Fatalf("after nap %d: %+v, %v; want session %q resumed", nap, state, err, opened.Session)
		}
	}
	if n := gate.expired.Load(); n != 0 {
		t.Errorf("%d expired tokens were shown", n)
	}

	gate.banned.Store(true)
	network.setDown(true)
	network.setDown(false)
	ended, _, err := seen.wait(crew.ctx, client.PhaseClosed, 1)
	if e := new(client.Error); err != nil || !errors.As(ended.Err, &e) || e.Code != wire.CodeUnauthorized {
		t.Errorf("the client ended with %v, %v; want unauthorized", ended.Err, err)
	}
	<-c.Done()
	run.Counted = fmt.Sprintf("%d naps, %d tokens issued, %d asked for by the server, none expired", naps, issued.Load(), gate.asked.Load())
	if asked := gate.asked.Load(); asked != int64(naps)+2 {
		t.Errorf("the server decided %d times, want once for each connection: %d", asked, naps+2)
	}
	run.End(t)
}
