//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/wire"
)

// channelsEach is how many channels one listener subscribes to; a session may have 128.
const channelsEach = 100

// library is an Earshot in this process, with listeners in another.
type library struct {
	server    *earshot.Server
	web       *http.Server // nil on no port
	data      string
	keeper    *keeper // nil: the embedded engine
	running   sync.WaitGroup
	listeners crowd.Crowd // nil for none
}

// openLibrary starts an Earshot with one namespace, and has every channel listened to.
func (b *Publish) openLibrary(ctx context.Context) (store, error) {
	k, err := b.openKeeper(ctx, &b.Backend)
	if err != nil {
		return nil, err
	}
	l, err := b.openQuietLibrary(ctx, k, earshot.Namespace{
		Kind: earshot.Log, History: earshot.History{Size: b.History}, Subscribe: earshot.Anyone,
	})
	if err != nil {
		return nil, err
	}
	if err := l.start(ctx, b); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// openQuietLibrary starts an Earshot with the namespace "bench", on no port. It takes k over, which is nil for the embedded engine.
func (c *Common) openQuietLibrary(ctx context.Context, k *keeper, bench earshot.Namespace) (*library, error) {
	o := earshot.Options{Log: slog.New(slog.DiscardHandler), Namespaces: map[string]earshot.Namespace{"bench": bench}}
	l := &library{keeper: k}
	var err error
	if k != nil {
		o.Engine = k.url
	} else if l.data, err = c.tempDir(); err == nil {
		o.Data = l.data
	}
	if err == nil {
		l.server, err = earshot.New(o)
	}
	if err != nil {
		l.discard() // the error that matters is the server's
		return nil, err
	}
	l.running.Go(func() { _ = l.server.Run(context.WithoutCancel(ctx)) }) // close waits for it
	return l, nil
}

// start serves on a free port and connects the listeners.
func (l *library) start(ctx context.Context, b *Publish) error {
	l.web = &http.Server{Handler: l.server, ReadHeaderTimeout: startPatience}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	l.running.Go(func() { _ = l.web.Serve(ln) }) // it ends with close
	if b.NoFeed {
		return nil
	}
	each := min(b.Channels, channelsEach)
	o := crowd.Order{
		URL: "http://" + ln.Addr().String() + endpointPath, Dialect: crowd.Earshot(), Unordered: true,
		Clients: b.Channels / each, Each: each, Channel: "bench:c", Channels: b.Channels, Underway: arrivalsUnderway,
	}
	if l.listeners, err = crowd.NewApart(o, loadProcess); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, arrivePatience)
	defer cancel()
	a, err := l.listeners.Arrive(within)
	if err == nil && a.Failed > 0 {
		err = errors.New(a.Reason)
	}
	if err != nil {
		return fmt.Errorf("connect listeners: %w", err)
	}
	return nil
}

func (l *library) publish(ctx context.Context, channel, id string, data []byte) error {
	_, err := l.server.Publish(ctx, channel, earshot.Message{Message: wire.Message{Data: wire.JSONData(data)}, Idem: id})
	return err
}

func (l *library) delivered() int64      { return l.listeners.Delivered() }
func (l *library) news() <-chan struct{} { return l.listeners.News() }

func (l *library) gaps() (int, error) {
	t, err := l.listeners.Tally()
	return t.Gaps, err
}

func (l *library) close() {
	if l.listeners != nil {
		l.listeners.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = l.server.Close(ctx) // its data is thrown away
	if l.web != nil {
		_ = l.web.Close() // all connections are gone
	}
	l.running.Wait()
	l.discard()
}

// discard throws away what was kept.
func (l *library) discard() {
	l.keeper.close()
	if l.data != "" {
		_ = os.RemoveAll(l.data) // what is left is in the system's folder for temporary files
	}
}

// engineCPU returns the CPU time that the Redis of the server has used.
func (l *library) engineCPU() (time.Duration, error) { return l.keeper.cpu() }
