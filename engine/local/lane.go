package local

import (
	"context"
	"runtime"
	"sync"

	"github.com/earshot/earshot/engine"
)

// proposal is a message on its way through a lane.
type proposal struct {
	ch     *channel
	pub    *engine.Publication // the lane fills in position, previous tag and time
	keyed  bool
	key    keyID
	digest digest // only of a keyed proposal
	rules  engine.Rules
	change *engine.MapChange // of a map; nil in other channels
	tends  uint64            // of a change that upkeep proposes: the entry that it has found something due of
	done   func(engine.Receipt, error)
	// Set by the lane.
	receipt engine.Receipt
	err     error
}

// size is what p counts for in the bounds of queues and batches.
func (p *proposal) size() int { return p.pub.Size() + publicationCost }

// appendBody appends what entries keep, tags chain and idempotency ids are compared by. (It is made twice, on the caller's
// goroutine and in the lane: that costs less than an allocation that lives until the commit.)
func (p *proposal) appendBody(dst []byte) []byte {
	if p.change != nil {
		return appendMapBody(dst, p.change, p.pub)
	}
	return appendBody(dst, p.pub)
}

func (p *proposal) hash() digest {
	var small [1024]byte
	return hashBody(p.appendBody(small[:0]))
}

// Bounds of a lane: its queue, beyond which publishers wait, and a batch.
const (
	queueProposals = 16 << 10
	queueBytes     = 16 << 20
	batchProposals = 4096
	batchBytes     = 1 << 20
)

// lane is a queue with one goroutine, run, that commits what has gathered while it committed the last batch.
type lane struct {
	commit func(batch []proposal) // answers every proposal

	mu     sync.Mutex
	queue  []proposal
	bytes  int
	closed bool
	room   chan struct{} // closed, and made anew, when the queue shrinks or the lane closes
	work   chan struct{} // holds a token when there may be something to do
}

func newLane(commit func([]proposal)) *lane {
	return &lane{commit: commit, room: make(chan struct{}), work: make(chan struct{}, 1)}
}

// push queues p, waiting for room until ctx ends.
func (l *lane) push(ctx context.Context, p proposal) error {
	size := p.size()
	for {
		room, err := l.tryPush(p, size)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryPush queues p. If there is no room it returns what to wait for.
func (l *lane) tryPush(p proposal, size int) (room <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, engine.ErrClosed
	}
	if len(l.queue) > 0 && (len(l.queue) >= queueProposals || l.bytes+size > queueBytes) {
		return l.room, nil
	}
	l.queue = append(l.queue, p)
	l.bytes += size
	l.wakeLocked()
	return nil, nil
}

func (l *lane) wakeLocked() {
	select {
	case l.work <- struct{}{}:
	default:
	}
}

// run commits until the lane is closed and empty.
func (l *lane) run() {
	var spent []proposal // the last batch: room for the queue
	for range l.work {
		// Those whom the last batch answered are about to propose again. Without this the first of them would have the disk
		// to itself, and all others would wait for the next sync: every second batch held one proposal.
		runtime.Gosched()
		batch, more := l.take(spent)
		if len(batch) > 0 {
			l.commit(batch)
			spent = clean(batch)
		}
		if !more {
			return
		}
	}
}

// keptProposals is how large a batch may have been for its room to be kept, about 300 KB.
const keptProposals = 1024

// clean forgets what a batch held, and gives its room to the next.
func clean(batch []proposal) []proposal {
	if cap(batch) > keptProposals {
		return nil
	}
	clear(batch)
	return batch[:0]
}

// take removes the next batch from the queue, which goes on in the room of one that is done with. More is false once the
// lane is closed and nothing is left.
func (l *lane) take(spent []proposal) (batch []proposal, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, bytes := 0, 0
	for n < len(l.queue) && n < batchProposals && (n == 0 || bytes < batchBytes) {
		bytes += l.queue[n].size()
		n++
	}
	if n == 0 {
		return nil, !l.closed
	}
	if n == len(l.queue) {
		batch, l.queue = l.queue, spent
	} else {
		batch, l.queue = l.queue[:n:n], l.queue[n:]
	}
	l.bytes -= bytes
	l.releaseRoomLocked()
	if len(l.queue) > 0 || l.closed {
		l.wakeLocked()
	}
	return batch, len(l.queue) > 0 || !l.closed
}

func (l *lane) releaseRoomLocked() {
	close(l.room)
	l.room = make(chan struct{})
}

// close refuses new proposals; run finishes those that are queued.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.releaseRoomLocked()
	l.wakeLocked()
}
