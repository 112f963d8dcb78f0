package session

import (
	"context"
	"sync"

	"github.com/earshot/earshot/engine"
)

// gatedEngine keeps one log in memory and does nothing by itself: the test says when a message is committed, when the
// feed hears of it, and when a read of history may go on.
type gatedEngine struct {
	first uint64        // offset of the oldest retained entry
	reads chan struct{} // a token for each read of history
	feed  engine.Feed

	mu         sync.Mutex
	log        []*engine.Publication // entry of offset o at o-1
	fed        int                   // entries of log that the feed has heard of, or will not
	subscribed bool
}

const gatedEpoch = 7

func newGatedEngine(entries int) *gatedEngine {
	g := &gatedEngine{first: 1, reads: make(chan struct{}, 100)}
	for range entries {
		g.commit()
	}
	g.fed = len(g.log)
	return g
}

// commit makes the next entry visible in the log.
func (g *gatedEngine) commit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := uint64(len(g.log)) + 1
	g.log = append(g.log, &engine.Publication{Position: gatedPosition(o), PrevTag: gatedPosition(o - 1).Tag})
}

// tell feeds the next entry that the feed has not heard of.
func (g *gatedEngine) tell() {
	g.mu.Lock()
	p, subscribed := g.log[g.fed], g.subscribed
	g.fed++
	g.mu.Unlock()
	if subscribed {
		g.feed.Committed("log:x", []*engine.Publication{p})
	}
}

func (g *gatedEngine) top() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return uint64(len(g.log))
}

func gatedPosition(offset uint64) engine.Position {
	p := engine.Position{Epoch: gatedEpoch, Offset: offset}
	if offset > 0 {
		p.Tag = uint32(offset)*31 + 5
	}
	return p
}

func (g *gatedEngine) Subscribe(context.Context, string) (engine.Position, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.subscribed = true
	return gatedPosition(uint64(len(g.log))), nil
}

func (g *gatedEngine) History(_ context.Context, _ string, q engine.Query) (engine.Page, error) {
	<-g.reads
	g.mu.Lock()
	defer g.mu.Unlock()
	top := uint64(len(g.log))
	page := engine.Page{Top: gatedPosition(top), Complete: true}
	from := g.first - 1
	switch {
	case q.Since != nil && (q.Since.Offset > top || *q.Since != gatedPosition(q.Since.Offset)):
		page.Complete = false
		return page, nil
	case q.Since != nil && q.Since.Offset+1 < g.first:
		page.Complete, page.Evicted = false, true
		return page, nil
	case q.Since != nil:
		from = q.Since.Offset
	default:
		from = max(from, top-min(top, uint64(q.Last)))
	}
	page.Start = gatedPosition(from)
	// One entry a page, so that a reader who is behind reads several times.
	page.Publications = g.log[from:min(from+1, top)]
	page.More = from+1 < top
	page.End = gatedPosition(min(from+1, top))
	return page, nil
}

func (g *gatedEngine) Key(context.Context, string, string) (*engine.Publication, error) {
	return nil, engine.ErrNoHistory
}
func (g *gatedEngine) Unsubscribe(string)                                  {}
func (g *gatedEngine) Fault() *engine.Fault                                { return nil }
func (g *gatedEngine) Trim(context.Context, string, engine.Position) error { return nil }
func (g *gatedEngine) Run(context.Context, engine.Feed) error              { return nil }
func (g *gatedEngine) Close(context.Context) error                         { return nil }
func (g *gatedEngine) Publish(_ context.Context, _ engine.Proposal, done func(engine.Receipt, error)) {
	done(engine.Receipt{}, engine.ErrClosed)
}
