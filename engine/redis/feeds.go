package redis

import (
	"log/slog"
	"sync"

	"github.com/earshot/earshot/engine"
)

// feeds are the channels that this node listens to.
type feeds struct {
	engine *Engine
	log    *slog.Logger

	mu     sync.RWMutex
	byName map[string]*channelFeed // by the feed's name
	begun  bool                    // Run was called
	sink   engine.Feed             // set with begun; may be nil

	broken   repairLine
	checkNow chan struct{} // holds a token when all feeds are to be compared with Redis
}

func newFeeds(e *Engine) *feeds {
	f := &feeds{
		engine: e, log: e.options.Logger,
		byName: make(map[string]*channelFeed), checkNow: make(chan struct{}, 1),
	}
	f.broken.ready.L = &f.broken.mu
	return f
}

// begin has all that was held, and all that follows, fed to sink.
func (f *feeds) begin(sink engine.Feed) {
	f.mu.Lock()
	f.begun, f.sink = true, sink
	f.mu.Unlock()
	for _, c := range f.all() {
		c.begin()
	}
}

func (f *feeds) hasBegun() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.begun
}

// committed hands publications to the node.
func (f *feeds) committed(channel string, pubs []*engine.Publication) {
	f.mu.RLock()
	sink := f.sink
	f.mu.RUnlock()
	if sink != nil {
		sink.Committed(channel, pubs)
	}
}

// restarted tells the node that a channel goes on elsewhere.
func (f *feeds) restarted(channel string, top engine.Position) {
	f.mu.RLock()
	sink := f.sink
	f.mu.RUnlock()
	if sink != nil {
		sink.Restarted(channel, top)
	}
}

// add returns the channel's feed, made if need be.
func (f *feeds) add(channel string) *channelFeed {
	keys := f.engine.keys.channel(channel)
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.byName[keys.feed]
	if c == nil {
		c = &channelFeed{feeds: f, name: channel, keys: keys, rules: f.engine.options.Rules(channel)}
		f.byName[keys.feed] = c
	}
	return c
}

func (f *feeds) find(name string) *channelFeed {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.byName[name]
}

// wants reports whether the node listens to the feed.
func (f *feeds) wants(name string) bool {
	c := f.find(name)
	return c != nil && !c.ended() || f.engine.nodes.control.hears(name)
}

func (f *feeds) remove(c *channelFeed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byName[c.keys.feed] == c {
		delete(f.byName, c.keys.feed)
	}
}

func (f *feeds) all() []*channelFeed {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := make([]*channelFeed, 0, len(f.byName))
	for _, c := range f.byName {
		list = append(list, c)
	}
	return list
}

func (f *feeds) names() []string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	names := make([]string, 0, len(f.byName))
	for name := range f.byName {
		names = append(names, name)
	}
	return names
}

// receive takes a message from Redis. It is called by the connection's reader and does not block.
func (f *feeds) receive(name, message string) {
	c := f.find(name)
	if c == nil {
		if f.engine.nodes.control.hears(name) {
			f.engine.nodes.control.receive(message)
		}
		return
	}
	pubs, err := decodeFrame([]byte(message), c.decoder())
	if err != nil {
		f.log.Error("cannot read a message of a feed", "channel", c.name, "error", err)
		return
	}
	c.receive(pubs)
}

// compareSoon has all feeds compared with Redis.
func (f *feeds) compareSoon() {
	select {
	case f.checkNow <- struct{}{}:
	default:
	}
}
