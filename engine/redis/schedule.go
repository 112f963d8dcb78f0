package redis

import (
	"context"
	"sync"
	"time"
)

// schedule remembers what this node has had noted of maps, so that it is not noted with every change.
type schedule struct {
	mu    sync.Mutex
	due   map[string]time.Time // when a map will be looked at
	owned map[string]bool      // maps that have keys owned in this run
}

// maxNoted bounds what is remembered: beyond it, it is noted again.
const maxNoted = 100_000

func (s *schedule) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due, s.owned = nil, nil
}

// announce has noted, before the changes are made, that a map will have keys which expire or have an owner: so that they are
// deleted in time whatever becomes of this node.
func (e *Engine) announce(ctx context.Context, batch []proposal) error {
	if batch[0].change == nil {
		return nil
	}
	channel, owned := batch[0].channel, false
	var ttl time.Duration
	for i := range batch {
		c := batch[i].change
		owned = owned || c.Owner != "" && !c.Delete
		if c.TTL > 0 && !c.Delete && (ttl == 0 || c.TTL < ttl) {
			ttl = c.TTL
		}
	}
	if owned {
		if err := e.noteOwned(ctx, channel); err != nil {
			return err
		}
	}
	if ttl > 0 {
		return e.noteDue(ctx, channel, ttl)
	}
	return nil
}

func (e *Engine) noteOwned(ctx context.Context, channel string) error {
	s := &e.schedule
	s.mu.Lock()
	noted := s.owned[channel]
	s.mu.Unlock()
	if noted {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	command := e.client.B().Sadd().Key(e.keys.owned(e.nodes.run())).Member(channel).Build()
	if err := e.client.Do(ctx, command).Error(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned == nil || len(s.owned) >= maxNoted {
		s.owned = make(map[string]bool)
	}
	s.owned[channel] = true
	return nil
}

func (e *Engine) noteDue(ctx context.Context, channel string, ttl time.Duration) error {
	s := &e.schedule
	now := time.Now()
	s.mu.Lock()
	due := s.due[channel]
	s.mu.Unlock()
	if due.After(now) && !due.After(now.Add(ttl)) {
		return nil
	}
	args := []string{channel, milliseconds(ttl), e.now()}
	if err := e.exec(ctx, scheduleScript, []string{e.keys.schedule()}, args).Error(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == nil || len(s.due) >= maxNoted {
		s.due = make(map[string]time.Time)
	}
	s.due[channel] = now.Add(ttl)
	return nil
}
