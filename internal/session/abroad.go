package session

import (
	"context"
	"time"

	"github.com/earshot/earshot/wire"
)

// abroadEvery is how often it is looked whether the nodes live on which keys hang that moved here with their sessions.
const abroadEvery = 5 * time.Second

// run names this node's present run; empty where there are no others.
func (n *Node) run() string {
	if n.Peers == nil {
		return ""
	}
	return n.Peers.Self().ID
}

// watchAbroad looks, now and then, whether the nodes live on which keys of sessions here still hang: their keys go with them. The
// clients of such sessions connect anew, and set them again.
func (n *Node) watchAbroad(now time.Time) {
	if !n.abroad.Load() || now.Before(n.lookAbroad) {
		return
	}
	n.lookAbroad = now.Add(abroadEvery)
	n.working.Go(func() {
		ctx, cancel := context.WithTimeout(n.work, abroadEvery)
		defer cancel()
		nodes, err := n.Peers.List(ctx)
		if err != nil {
			return // it is tried again, and the engine says what is wrong with it
		}
		alive := map[string]bool{"": true}
		for _, node := range nodes {
			alive[node.ID] = true
		}
		n.sendBack(alive)
	})
}

// sendBack has the clients of sessions connect anew that own keys which hang on a run that is not alive.
func (n *Node) sendBack(alive map[string]bool) {
	for _, s := range n.sessions.all(func(s *Session) bool { return s.hangsOn(alive) }) {
		s.release()
		if link := s.connection(); link != nil {
			link.end(wire.Bye{Code: wire.CloseReconnect})
		}
	}
}

// hangsOn reports whether the session owns a key that hangs on a run which is not alive.
func (s *Session) hangsOn(alive map[string]bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.owned {
		if !alive[p.run] {
			return true
		}
	}
	return false
}
