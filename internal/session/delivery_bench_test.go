package session

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// shelf is an engine with one log, of which a read finds everything at once.
type shelf struct{ *gatedEngine }

func (s shelf) History(_ context.Context, _ string, q engine.Query) (engine.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := gatedPosition(uint64(len(s.log)))
	return engine.Page{Top: end, Start: *q.Since, End: end, Complete: true, Publications: s.log[q.Since.Offset:]}, nil
}

// bell is a transport that rings when there is something to fill.
type bell struct{ rings chan struct{} }

func newBell() *bell { return &bell{rings: make(chan struct{}, 1)} }

func (b *bell) Notify() {
	select {
	case b.rings <- struct{}{}:
	default:
	}
}

func (*bell) Close(wire.Code, string) {}

// plain encodes a publication as some bytes, and every other frame as none.
type plain struct{ hub.Encoder }

var plainBytes = make([]byte, 200)

func (plain) Slot() int                                      { return 0 }
func (plain) Publication(string, *engine.Publication) []byte { return plainBytes }
func (plain) Frame(dst []byte, _ wire.ServerFrame) []byte    { return dst }

// startShelf runs a node over a log of so many entries, of which its ring knows none.
func startShelf(tb testing.TB, entries int) (*Node, shelf) {
	tb.Helper()
	e := shelf{newGatedEngine(entries)}
	log := slog.New(slog.DiscardHandler)
	h := hub.New(e, func(string) engine.Rules { return engine.Rules{Kind: engine.KindLog} }, log)
	e.feed = h
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	tb.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return NewNode(Config{Hub: h, Engine: e, Policy: openPolicy{}, Log: log}), e
}

// subscribeAt opens a connection with a subscription that starts after offset.
func subscribeAt(tb testing.TB, n *Node, to *bell, offset uint64) *Link {
	tb.Helper()
	l := n.NewLink(to, plain{}, Handshake{})
	l.Connected()
	if err := l.serve(wire.ClientFrame{Body: wire.Subscribe{Channel: "log:x", Since: gatedPosition(offset).String()}}); err != nil {
		tb.Fatal(err)
	}
	return l
}

// BenchmarkRecover has a client come back that has missed 20 messages, which are in the ring, or in the log only. An operation
// is a client: connection, session, subscription, and the messages.
func BenchmarkRecover(b *testing.B) {
	const missed = 20
	for name, inRing := range map[string]bool{"ring": true, "log": false} {
		b.Run(name, func(b *testing.B) {
			n, e := startShelf(b, missed)
			if inRing {
				n, e = startShelf(b, 0)
			}
			keep := subscribeAt(b, n, newBell(), e.top()) // keeps the channel in use
			defer keep.Lost()
			for range missed - int(e.top()) {
				e.commit()
				e.tell()
			}
			to, dst := newBell(), make([]byte, 0, 16<<10)
			b.ReportAllocs()
			for b.Loop() {
				l := subscribeAt(b, n, to, 0)
				for got := 0; got < missed*len(plainBytes); {
					<-to.rings
					dst, _ = l.Fill(dst[:0], 16<<10)
					got += len(dst)
				}
				l.Lost()
			}
		})
	}
}

// TestDeliveryAllocatesNothing has many clients read one message, which the first has encoded.
func TestDeliveryAllocatesNothing(t *testing.T) {
	const clients = 100
	n, e := startShelf(t, 0)
	var links []*Link
	for range clients + 2 {
		links = append(links, subscribeAt(t, n, newBell(), 0))
	}
	e.commit()
	e.tell()
	dst := make([]byte, 0, 16<<10)
	next, delivered := 0, 0
	fill := func() {
		dst, _ = links[next].Fill(dst[:0], 16<<10)
		delivered += len(dst)
		next++
	}
	fill()
	if allocations := testing.AllocsPerRun(clients, fill); allocations != 0 { // it runs once more than that
		t.Errorf("%v allocations for a delivery", allocations)
	}
	if want := (clients + 2) * len(plainBytes); delivered != want {
		t.Errorf("%d bytes were delivered, want %d", delivered, want)
	}
	for _, l := range links {
		l.Lost()
	}
}
