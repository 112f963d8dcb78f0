package redis

import (
	"context"
	"sync"

	"github.com/earshot/earshot/engine"
)

// proposal is a message on its way to Redis.
type proposal struct {
	channel string
	payload []byte // sender and body, as an entry keeps them
	body    []byte // the end of payload: see appendBody
	size    int    // what it counts for in retention
	keyed   bool
	key     string // the idempotency key's name in Redis
	digest  string // of body; only of a keyed proposal
	rules   engine.Rules
	change  *mapChange // of a map
	done    func(engine.Receipt, error)
}

// proposalCost is what a proposal takes in memory besides its payload, roughly.
const proposalCost = 256

func (p *proposal) cost() int { return len(p.payload) + proposalCost }

// Bounds of the outbox, beyond which publishers wait, and of a call.
const (
	outboxProposals = 16 << 10
	outboxBytes     = 16 << 20
	callProposals   = 128
	callBytes       = 256 << 10
	// maxCalls is how many channels commit at once. Their calls share connections.
	maxCalls = 256
)

// outbox holds proposals until Redis answered. Each channel has one call under way at a time, which takes what has gathered
// meanwhile: so a channel's order is that of the pushes, and no channel waits for another.
type outbox struct {
	commit func(batch []proposal) // answers every proposal

	mu      sync.Mutex
	lines   map[string]*outLine // channels with proposals, waiting or under way
	ready   []*outLine          // lines whose turn it is
	count   int                 // proposals waiting or under way
	bytes   int
	calls   int // workers there are
	running bool
	closed  bool
	room    chan struct{} // closed, and made anew, when proposals were answered, or the outbox closes
	workers sync.WaitGroup
}

// outLine is what one channel has to say.
type outLine struct {
	channel string
	queue   []proposal
}

func newOutbox(commit func([]proposal)) *outbox {
	return &outbox{commit: commit, lines: make(map[string]*outLine), room: make(chan struct{})}
}

// push queues p, waiting for room until ctx ends.
func (o *outbox) push(ctx context.Context, p proposal) error {
	for {
		room, err := o.tryPush(p)
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
func (o *outbox) tryPush(p proposal) (room <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, engine.ErrClosed
	}
	if o.count > 0 && (o.count >= outboxProposals || o.bytes+p.cost() > outboxBytes) {
		return o.room, nil
	}
	o.count++
	o.bytes += p.cost()
	line := o.lines[p.channel]
	if line == nil {
		line = &outLine{channel: p.channel}
		o.lines[p.channel] = line
		o.ready = append(o.ready, line)
	}
	line.queue = append(line.queue, p)
	o.employLocked()
	return nil, nil
}

// employLocked starts workers for the lines that are ready.
func (o *outbox) employLocked() {
	if o.running && len(o.ready) > 0 && o.calls < maxCalls {
		o.calls++
		o.workers.Go(o.work)
	}
}

// work commits until no line is ready.
func (o *outbox) work() {
	for {
		line, batch := o.take()
		if line == nil {
			return
		}
		o.commit(batch)
		o.finish(line, batch)
	}
}

// take removes a line that is ready and the batch that its call will carry.
func (o *outbox) take() (*outLine, []proposal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.ready) == 0 {
		o.calls--
		return nil, nil
	}
	line := o.ready[0]
	o.ready[0] = nil
	o.ready = o.ready[1:]
	n, bytes := 0, 0
	for n < len(line.queue) && n < callProposals && (n == 0 || bytes+line.queue[n].cost() <= callBytes) {
		bytes += line.queue[n].cost()
		n++
	}
	batch := line.queue[:n:n]
	line.queue = line.queue[n:]
	return line, batch
}

// finish makes room after a call, and the line ready again if it has more.
func (o *outbox) finish(line *outLine, batch []proposal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count -= len(batch)
	for i := range batch {
		o.bytes -= batch[i].cost()
	}
	close(o.room)
	o.room = make(chan struct{})
	if len(line.queue) > 0 {
		o.ready = append(o.ready, line)
	} else {
		delete(o.lines, line.channel)
	}
}

// begin lets the workers start.
func (o *outbox) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = true
	for range min(len(o.ready), maxCalls) {
		o.employLocked()
	}
}

// close refuses new proposals; the workers finish those that are queued.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		close(o.room)
		o.room = make(chan struct{})
	}
}

// wait returns once a closed outbox is empty.
func (o *outbox) wait() { o.workers.Wait() }

// abandon refuses what is queued in an outbox that will not run.
func (o *outbox) abandon() {
	o.mu.Lock()
	lines := o.lines
	o.lines, o.ready = nil, nil
	o.mu.Unlock()
	for _, line := range lines {
		for i := range line.queue {
			line.queue[i].done(engine.Receipt{}, engine.ErrClosed)
		}
	}
}
