package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot"
)

// An embedder is an application that embeds the library: this test program, run again as a node. Its users' tokens are
// their names. It does what it reads, one order a line, and answers each with a line.

// embedderEngine is the variable that makes this program an embedder on the Redis that it names.
const embedderEngine = "EARSHOT_TEST_EMBEDDER"

// orderTimeout is how long an embedder waits until all nodes have confirmed an order.
const orderTimeout = 2 * time.Second

// order is what an embedder is told.
type order struct {
	Do      string // disconnect, unsubscribe, recheck; or ban, forbid: what only this one knows then
	User    string
	Channel string
}

// startEmbedder runs an embedder.
func startEmbedder(t *testing.T, engine string) *node {
	t.Helper()
	n := &node{t: t, path: os.Args[0], env: []string{embedderEngine + "=" + engine}, addr: "127.0.0.1:0"}
	n.start()
	t.Cleanup(n.kill)
	return n
}

// order has an embedder do something, and waits until all nodes have confirmed it.
func (n *node) order(o order) {
	n.t.Helper()
	if answer := n.ask(o); answer != "done" {
		n.t.Fatalf("order %+v: %s", o, answer)
	}
}

// ask has an embedder do something, and returns its answer.
func (n *node) ask(o order) string {
	n.t.Helper()
	line, err := json.Marshal(o)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		n.t.Fatal(err)
	}
	answer, err := n.out.ReadString('\n')
	if err != nil {
		n.t.Fatalf("order %s: %v", line, err)
	}
	return strings.TrimSpace(answer)
}

// embed runs the embedder until its input ends, and returns the exit code.
func embed(engine string) int {
	if err := newApplication().run(engine); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// application is what an embedder knows of its users.
type application struct {
	mu sync.Mutex
	// Guarded by mu.
	banned    []string // users
	forbidden []string // channels
}

func newApplication() *application { return new(application) }

func (a *application) run(engine string) error {
	everything := earshot.Namespace{
		Kind: earshot.Log, Subscribe: earshot.Users, Publish: earshot.Users, ReadHistory: earshot.Users,
	}
	server, err := earshot.New(earshot.Options{
		Engine: engine, Namespaces: map[string]earshot.Namespace{"log": everything},
		OnConnect: a.connect, OnSubscribe: a.subscribe,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addrFlag())
	if err != nil {
		return err
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	var running sync.WaitGroup
	defer running.Wait()
	defer web.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	running.Go(func() { _ = server.Run(ctx) })     // what went wrong is in its log
	running.Go(func() { _ = web.Serve(listener) }) // ends with Close
	fmt.Printf("listening on http://%s\n", listener.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var o order
		err := json.Unmarshal(in.Bytes(), &o)
		if err == nil {
			err = a.obey(ctx, server, o)
		}
		switch {
		case errors.Is(err, earshot.ErrUnconfirmed):
			fmt.Println("unconfirmed")
		case err != nil:
			return err
		default:
			fmt.Println("done")
		}
	}
	return nil
}

// addrFlag returns the address that a node is started with.
func addrFlag() string {
	for _, arg := range os.Args {
		if addr, ok := strings.CutPrefix(arg, "--addr="); ok {
			return addr
		}
	}
	return ""
}

func (a *application) obey(ctx context.Context, server *earshot.Server, o order) error {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	who := earshot.Whom{User: o.User}
	switch o.Do {
	case "disconnect":
		return server.Disconnect(ctx, who, "enough")
	case "unsubscribe":
		return server.Unsubscribe(ctx, who, o.Channel, "enough")
	case "recheck":
		return server.Recheck(ctx, who)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o.Do {
	case "ban":
		a.banned = append(a.banned, o.User)
	case "forbid":
		a.forbidden = append(a.forbidden, o.Channel)
	default:
		return fmt.Errorf("no such order: %q", o.Do)
	}
	return nil
}

func (a *application) connect(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Token == "" || slices.Contains(a.banned, r.Token) {
		return earshot.Identity{}, earshot.Unauthorized("not you")
	}
	return earshot.Identity{User: r.Token}, nil
}

func (a *application) subscribe(_ context.Context, _ earshot.Session, channel string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Contains(a.forbidden, channel) {
		return earshot.Reject("no longer")
	}
	return nil
}
