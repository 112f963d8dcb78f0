package earshot

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/wire"
)

// followPause is how long to wait before the map of revocations is tried again.
const followPause = time.Second

// revocations is this server's copy of what is revoked. It follows the map as a subscriber does, so that a revocation reaches
// every server, if it is running or starts later, and costs a client that connects no question to the engine.
type revocations struct {
	// Set by newRevocations, then read-only.
	hub   *hub.Hub
	log   *slog.Logger
	end   func(Whom) // ends the sessions of this server
	news  chan struct{}
	ready chan struct{} // closed once the copy is complete

	mu    sync.RWMutex
	until map[string]time.Time // by Revocation.key; guarded by mu
	seen  uint64               // the version of the newest change that was read; guarded by mu
}

func newRevocations(h *hub.Hub, log *slog.Logger, end func(Whom)) *revocations {
	return &revocations{
		hub: h, log: log, end: end, until: make(map[string]time.Time),
		news: make(chan struct{}, 1), ready: make(chan struct{}),
	}
}

// holds reports whether the user or the token with these claims is revoked.
func (r *revocations) holds(user string, claims *Claims) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.until) == 0 {
		return false
	}
	if claims != nil && (r.heldLocked(Revocation{Token: claims.ID}) || r.heldLocked(Revocation{User: claims.User})) {
		return true
	}
	return r.heldLocked(Revocation{User: user})
}

func (r *revocations) heldLocked(of Revocation) bool {
	return (of.User != "" || of.Token != "") && time.Now().Before(r.until[of.key()])
}

// await waits until the copy is complete: before, nobody can say who is revoked.
func (r *revocations) await(ctx context.Context) error {
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
		return &wire.ProtocolError{Code: wire.CodeUnavailable, Reason: "the server does not know yet who may connect"}
	}
}

// foresee notes a revocation that was committed with that version, unless the copy is past it.
func (r *revocations) foresee(key string, until time.Time, version uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen < version {
		r.until[key] = until
	}
}

// Wake implements hub.Listener.
func (r *revocations) Wake() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// WakeLater implements hub.Listener.
func (r *revocations) WakeLater() { r.Wake() }

// Run keeps the copy until ctx ends.
func (r *revocations) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		sub, err := r.join(ctx)
		if err == nil {
			r.follow(ctx, sub)
			sub.Leave()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		r.log.Warn("cannot read who is revoked, will try again", "error", err)
		select {
		case <-time.After(followPause):
		case <-ctx.Done():
		}
	}
	return nil
}

func (r *revocations) join(ctx context.Context) (*hub.Subscription, error) {
	sub, err := r.hub.Join(ctx, revokedChannel, r)
	if err != nil {
		return nil, err
	}
	if err := sub.Begin(ctx, hub.Start{}); err != nil {
		sub.Leave()
		return nil, err
	}
	return sub, nil
}

// follow reads what is revoked, and then what changes.
func (r *revocations) follow(ctx context.Context, sub *hub.Subscription) {
	complete := false
	for {
		for event, ok := sub.Next(); ok; event, ok = sub.Next() {
			r.take(event)
		}
		if sub.Synced() && !complete {
			complete = true
			close(r.ready)
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			return
		}
	}
}

// take notes a change. The sessions end after it is noted, so that one which begins meanwhile is found here or finds it.
func (r *revocations) take(event hub.Event) {
	if event.Entry == nil {
		r.forget()
		return
	}
	entry := event.Entry
	var v revoked
	if !entry.Gone {
		if err := json.Unmarshal(entry.Data.Body, &v); err != nil {
			r.log.Error("a revocation cannot be read", "error", err)
			return
		}
	}
	r.mu.Lock()
	r.seen = entry.Offset
	if entry.Gone {
		delete(r.until, entry.Key)
	} else {
		r.until[entry.Key] = time.UnixMilli(v.UntilMS)
	}
	r.mu.Unlock()
	if !entry.Gone {
		r.end(Whom{User: v.User, Token: v.Token})
	}
}

// forget empties the copy: what holds follows.
func (r *revocations) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.until)
	r.seen = 0
}
