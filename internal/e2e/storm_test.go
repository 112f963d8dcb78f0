package e2e

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
)

// The server is killed with many clients connected, stays away for a while, and comes back with a limit on new connections:
// the clients' tries do not come in step, the server takes no more of them than it may, and in the end all are back and have
// missed nothing.
func TestStorm(t *testing.T) {
	t.Parallel()
	const (
		messages = 50
		burst    = 4 // seconds' worth of connections that may come at once
	)
	clients, away := testkit.Scale(400, 4000), testkit.Scale(4*time.Second, 20*time.Second)
	rate := clients / 8
	run := testkit.Begin("L4")
	server := startProgram(t, keeping(1000))
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	crowd := gather(t, crew, server.url(), clients)
	for _, c := range crowd.clients {
		crew.do(func(ctx context.Context) error { return follow(ctx, c, l, origin, 2*messages) })
	}
	if err := publish(crew.ctx, connect(t, server.url(), client.Options{}), l, messages, 4); err != nil {
		t.Fatal(err)
	}
	server.kill()
	tries := countTries(t, server.addr, away)
	// The first tries of all are due within a fraction of a second, and come as fast as this process can make them; from
	// then on they must be apart.
	late := slices.DeleteFunc(slices.Clone(tries), func(at time.Time) bool { return at.Sub(tries[0]) < away/2 })
	if most := mostWithin(late, 100*time.Millisecond); most > clients/2 {
		t.Errorf("%d of %d clients tried within the same 0.1 s", most, clients)
	}
	server.env = []string{fmt.Sprintf("EARSHOT_CONNECT_RATE=%d", rate)}
	server.start()
	back := crowd.returns(t, crew.ctx, 2)
	if most := mostWithin(back, time.Second); most > burst*rate+2*rate {
		t.Errorf("%d clients were let in within a second, with a limit of %d after a burst of %d", most, rate, burst*rate)
	}
	if err := publish(crew.ctx, connect(t, server.url(), client.Options{}), l, messages, 4); err != nil {
		t.Fatal(err)
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d clients; %d tries in %v without a server, at most %d within 0.1 s once under way; let in at %d a second, all back within %.1f s",
		clients, len(tries), away, mostWithin(late, 100*time.Millisecond), rate, back[len(back)-1].Sub(back[0]).Seconds())
	wantAll(t, run.Totals, 2*messages, clients*2*messages)
	run.End(t)
}

// countTries stands at the server's address for a while, hangs up on everyone, and returns when they came.
func countTries(t *testing.T, addr string, away time.Duration) (at []time.Time) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			at = append(at, time.Now())
			_ = c.Close() // whatever it says, it is not heard
		}
	})
	<-time.After(away)
	_ = l.Close() // ends accept
	accepting.Wait()
	if len(at) == 0 {
		t.Fatal("nobody tried to come back")
	}
	return at
}
