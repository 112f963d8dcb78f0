package earshot_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/testkit"
)

// roaming is a client whose every request reaches another server.
type roaming struct {
	*testkit.HTTPClient
	bases []string
	turn  int
}

func (r *roaming) step() {
	sid := r.URL[strings.LastIndex(r.URL, "/"):]
	r.turn++
	r.URL = r.bases[r.turn%len(r.bases)] + "/live/http" + sid
}

// Requests may reach any server: a GET moves the exchange, a POST is carried to it. It is row T2 of the faults.
func TestRequestsReachOtherServers(t *testing.T) {
	url := startRedis(t)
	options := earshot.Options{
		Engine: url,
		OnConnect: func(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
			return earshot.Identity{User: r.Token, Data: "attached"}, nil
		},
		OnPublish: func(_ context.Context, s earshot.Session, p *earshot.PublishRequest) error {
			p.Tags = map[string]string{"data": fmt.Sprint(s.Data())}
			return nil
		},
	}
	first, second := testkit.Start(t, options), testkit.Start(t, options)
	r := &roaming{testkit.OpenHTTP(t, first.URL, `{"id":1,"hello":{"token":"ann","sender":"0123456789abcdef"}}`), []string{first.URL, second.URL}, 0}
	r.Want("welcome", `{"user":"ann"}`)
	r.step()
	r.Send(`{"id":2,"sub":{"ch":"log:a"}}`) // carried
	r.Want("subscribed", `{"id":2}`)        // moves
	r.Send(`{"id":3,"sub":{"ch":"log:own","echo":false}}`)
	r.Want("subscribed", `{"id":3}`)
	const all = 30
	for i := range all {
		r.step()
		r.Send(fmt.Sprintf(`{"pub":{"ch":"log:own","data":%d}}`, i), fmt.Sprintf(`{"pub":{"ch":"log:a","data":%d}}`, i))
		if i%3 == 0 {
			r.step()
		}
		for {
			frame, text := r.Next()
			if frame["moved"] != nil {
				continue // of the channel without echoes
			}
			if !strings.Contains(text, fmt.Sprintf(`"off":%d,`, i+1)) || !strings.Contains(text, `"data":"attached"`) {
				t.Fatalf("after %d came %s", i, text)
			}
			break
		}
	}
	if here, there := first.Sessions("ann"), second.Sessions("ann"); len(here)+len(there) != 1 {
		t.Errorf("the session is on %d and %d", len(here), len(there))
	}
}

// openMaps are namespaces in which everyone may do everything.
func openMaps() map[string]earshot.Namespace {
	open := testkit.Open()
	board := open["log"]
	board.Kind = earshot.Map
	open["map"] = board
	return open
}

// A key goes with the session that owns it, wherever that has moved. If the server goes where it was set, the client is told to
// come back and set it again.
func TestOwnedKeysMove(t *testing.T) {
	options := earshot.Options{Engine: startRedis(t), Namespaces: openMaps()}
	first, second := testkit.Start(t, options), testkit.Start(t, options)
	watch := testkit.Connect(t, second.URL)
	watch.Send(`{"id":1,"sub":{"ch":"map:a"}}`)
	watch.Want("subscribed", `{}`)
	watch.Want("synced", `{}`)
	var owners []*roaming
	for i := range 2 {
		r := &roaming{testkit.OpenHTTP(t, first.URL, `{"id":1,"hello":{}}`), []string{first.URL, second.URL}, 0}
		id := r.Want("welcome", `{}`)["session"].(string)
		r.Send(fmt.Sprintf(`{"id":2,"set":{"ch":"map:a","key":"k%d","data":%q,"own":true}}`, i, id))
		r.Want("published", `{"id":2}`)
		watch.Want("pub", fmt.Sprintf(`{"key":"k%d"}`, i))
		r.step()
		r.Send(`{"id":3,"ping":{}}`)
		r.Want("pong", `{"id":3}`)
		if i == 0 {
			if err := first.Disconnect(t.Context(), earshot.Whom{Session: id}, "enough"); err != nil {
				t.Fatal(err)
			}
			r.Want("bye", `{"code":4002}`)
			watch.Want("pub", `{"key":"k0","gone":true}`)
		}
		owners = append(owners, r)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	first.Close(gone)
	owners[1].Want("bye", `{"code":4200,"name":"reconnect"}`)
}

// What another server has never heard of is not there, and what is there is served once.
func TestRepeatsReachOtherServers(t *testing.T) {
	url := startRedis(t)
	first, second := testkit.Start(t, earshot.Options{Engine: url}), testkit.Start(t, earshot.Options{Engine: url})
	r := &roaming{testkit.OpenHTTP(t, first.URL, ""), []string{first.URL, second.URL}, 0}
	for range 6 {
		if status, text := r.Post("?n=1", `{"id":1,"pub":{"ch":"log:once","data":1}}`); status != http.StatusNoContent {
			t.Fatalf("POST: %d %s", status, text)
		}
		r.step()
		if status, text := r.Get("?ack=0"); status != http.StatusOK || strings.Count(text, `"off":1,`) != 1 {
			t.Fatalf("GET: %d %s", status, text)
		}
	}
	if status, text := r.Post("?n=3", ""); status != http.StatusConflict {
		t.Errorf("a number that is not the next: %d %s", status, text)
	}
	r.URL = second.URL + "/live/http/AAAAAAAAAAAAAAAAAAAAAA"
	for _, status := range []func() (int, string){
		func() (int, string) { return r.Get("?ack=0") },
		func() (int, string) { return r.Post("?n=1", `{"ping":{}}`) },
	} {
		if got, text := status(); got != http.StatusNotFound || !strings.Contains(text, "no_session") {
			t.Errorf("an unknown sid: %d %s", got, text)
		}
	}
}

// alternating sends each request to the next of several servers, as a balancer without affinity does, and to none that is out.
type alternating struct {
	hosts []string
	next  atomic.Int64
	first atomic.Int64 // of those that are not out
}

func (a *alternating) RoundTrip(r *http.Request) (*http.Response, error) {
	in := a.hosts[a.first.Load():]
	r = r.Clone(r.Context())
	r.URL.Host = in[int(a.next.Add(1))%len(in)]
	return http.DefaultTransport.RoundTrip(r)
}

// A client whose requests reach servers in turn sees all that is published, in order, also after one of them has gone.
func TestClientReachesServersInTurn(t *testing.T) {
	url := startRedis(t)
	for _, transport := range []client.Transport{client.TransportPoll, client.TransportStream} {
		t.Run(string(transport), func(t *testing.T) {
			first, second := testkit.Start(t, earshot.Options{Engine: url}), testkit.Start(t, earshot.Options{Engine: url})
			balancer := &alternating{hosts: []string{first.URL[len("http://"):], second.URL[len("http://"):]}}
			c, err := client.Connect(t.Context(), first.URL, client.Options{
				Transport: transport, HTTPClient: &http.Client{Transport: balancer}, BackoffBase: time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			defer c.Close(t.Context())
			channel := "log:" + string(transport)
			sub, err := c.Subscribe(t.Context(), channel, client.SubscribeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			const all, half = 60, 30
			for i := range all {
				if i == half {
					balancer.first.Store(1)
					gone, cancel := context.WithCancel(t.Context())
					cancel()
					first.Close(gone)
				}
				if _, err := c.PublishJSON(t.Context(), channel, i); err != nil {
					t.Fatal(err)
				}
				ev, err := sub.Next(t.Context())
				if p, ok := ev.(client.Publication); err != nil || !ok || p.Offset != uint64(i+1) {
					t.Fatalf("event %d is %+v, %v", i+1, ev, err)
				}
			}
		})
	}
}
