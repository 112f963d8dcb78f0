package client

import (
	"bytes"
	"context"
	"testing"

	"github.com/earshot/earshot/wire"
)

// FuzzServerFrames lets a server say anything, in any order, to a client that waits for all kinds of answers: the
// client does not panic, and what it counts stays true.
func FuzzServerFrames(f *testing.F) {
	for _, seed := range []string{
		`{"id":2,"subscribed":{"ch":"log:a","pos":"p0"}}` + "\n" + `{"pub":{"ch":"log:a","off":1,"pos":"p1","data":1}}` + "\n" + `{"moved":{"ch":"log:a","pos":"p2"}}`,
		`{"id":2,"subscribed":{"ch":"log:a","pos":"p0"}}` + "\n" + `{"id":2,"error":{"code":103}}` + "\n" + `{"unsubscribed":{"ch":"log:a","code":301}}`,
		`{"id":3,"published":{"ch":"log:a"}}` + "\n" + `{"id":3,"published":{"ch":"log:a"}}` + "\n" + `{"id":4,"error":{"code":301}}`,
		`{"id":3,"page":{"ch":"log:a","pubs":[{"off":1,"pos":"p1","data":1}]}}` + "\n" + `{"ping":{}}` + "\n" + `{"bye":{"code":4100}}`,
		`{"id":2,"error":{"code":201}}` + "\n" + `{"reset":{"ch":"log:a","pos":"p","why":"epoch"}}` + "\n" + `{"missed":{"ch":"log:a","count":1,"pos":"p"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		c, l := waitingClient(t)
		for text := range bytes.Lines(script) {
			f, err := wire.JSON.DecodeServerFrame(text)
			if err == nil && c.act(l, f) != nil {
				break
			}
		}
		l.cancel(nil)
		l.tasks.Wait()
		c.putDown(l)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pending != len(c.unsent) || len(l.control) > maxControl {
			t.Errorf("%d calls are counted and %d wait; %d frames of %d", c.pending, len(c.unsent), len(l.control), maxControl)
		}
		for _, s := range c.subs {
			size := 0
			for _, ev := range s.queue {
				size += sizeBytes(ev)
			}
			if size != s.queueBytes || len(s.queue) > c.opts.QueueEvents || s.phase != phaseOut {
				t.Errorf("queue of %d events and %d bytes, counted %d, in phase %d", len(s.queue), size, s.queueBytes, s.phase)
			}
		}
	})
}

// waitingClient returns a client and its connection, over which a subscription was asked for with id 2, a publish sent
// with id 3 and a history read with id 4.
func waitingClient(t *testing.T) (*Client, *link) {
	t.Helper()
	opts, err := Options{QueueEvents: 2}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{opts: opts, log: opts.Logger, room: make(chan struct{}, 1), subs: make(map[string]*Subscription), hard: context.Background()}
	l := c.newLink()
	c.link = l
	if err := c.newSubscription("log:a", SubscribeOptions{}).register(); err != nil {
		t.Fatal(err)
	}
	for _, body := range []wire.ClientBody{wire.Publish{Channel: "log:a"}, wire.History{Channel: "log:a"}} {
		if _, err := c.queue(&call{body: body, bytes: 1, result: make(chan answer, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, ok := c.nextFrame(l); !ok {
			t.Fatal("nothing was sent")
		}
	}
	return c, l
}
