// Package engine defines what commits publications, keeps logs, and carries messages between nodes. engine/local is the
// embedded implementation; engine/enginetest is the contract that every implementation passes.
package engine

import (
	"context"
	"errors"
	"time"

	"github.com/earshot/earshot/wire"
)

// Engine is all that a node needs to keep and carry messages. Methods may be called concurrently.
type Engine interface {
	Log
	Cluster
	// Run commits and feeds until ctx ends or Close is called. It is called once; calls of other methods before it
	// wait for it or fail with their context. Feed may be nil.
	Run(ctx context.Context, feed Feed) error
	// Fault returns what keeps the engine from its work now, as far as is known, or nil. It does not wait.
	Fault() *Fault
	// Close finishes what was accepted, makes it durable, and waits for Run. It is idempotent.
	Close(ctx context.Context) error
}

// Log publishes and reads back.
type Log interface {
	// Publish proposes a message and returns at once, or once the engine's bounded queue has room. It calls done
	// exactly once, after the message is committed or refused: from a goroutine of the engine, or, for a proposal that
	// was not accepted, before Publish returns. Done must not block.
	// Proposals that one goroutine makes for one channel are committed in the order of its calls.
	// The engine keeps p's bytes; the caller must not modify them afterwards.
	//
	// Errors: ErrIdemReused, ErrVersionMismatch, ErrTooManyKeys, ErrUnavailable, ErrDiskFull, ErrClosed, or that of ctx if it ended before the proposal was
	// accepted; once accepted, ctx has no effect.
	Publish(ctx context.Context, p Proposal, done func(Receipt, error))

	// History reads one page. A position of another epoch, out of range or with another tag is no error: the page is
	// empty and not Complete. In a channel that keeps nothing it fails with ErrNoHistory.
	History(ctx context.Context, channel string, q Query) (Page, error)

	// Key returns the newest change of a key of a map, whose offset is the version that IfVersion is compared with; nil if
	// there is no such key. In other channels it fails with ErrNoHistory.
	Key(ctx context.Context, channel, key string) (*Publication, error)

	// Trim drops the publications up to and including p for good. A position that is not one of the channel is
	// ErrBadPosition.
	Trim(ctx context.Context, channel string, p Position) error
}

// Cluster says what this node listens to. What an engine for many nodes has besides is Nodes.
type Cluster interface {
	// Subscribe starts the channel's feed on this node and returns the committed top: every publication after it will
	// be fed, in order. Subscribing twice is one subscription.
	Subscribe(ctx context.Context, channel string) (Position, error)
	// Unsubscribe ends the feed. What is being fed at that moment may still arrive, even after a new Subscribe: a
	// listener ignores what does not come after the position that Subscribe returned. An unretained channel that no
	// node listens to may begin a new epoch.
	Unsubscribe(channel string)
}

// Feed receives what is committed in the channels that the node subscribed to.
type Feed interface {
	// Committed hands over publications of one channel, consecutive and in order; each names its predecessor. It is
	// called by one goroutine at a time for a channel and must not block. The publications are shared and read-only.
	Committed(channel string, pubs []*Publication)
	// Restarted says that the channel goes on after top, which does not follow what was fed before, and that there is nothing
	// to feed in between: the engine lost the channel, or its retention dropped what this node missed. It is called like
	// Committed.
	Restarted(channel string, top Position)
}

// Proposal is a message on its way to be committed.
type Proposal struct {
	Channel string
	Idem    string // idempotency id, scoped by channel and user; empty for none
	User    string // who publishes; empty for an anonymous client
	Sender  string // the client instance that publishes; never shown to others
	// Map says which key of a map the message is about. It is set in channels of KindMap, and only there.
	Map *MapChange
	wire.Message
}

// MapChange sets or deletes one key of a map. Its version is the offset of the change, so that versions only go up.
type MapChange struct {
	Key    string
	Delete bool // leave a tombstone; the message's data is ignored
	// IfVersion, if not nil, commits the change only while the key has this version; zero: while there is no such key.
	// Otherwise it is ErrVersionMismatch.
	IfVersion *uint64
	TTL       time.Duration // the key is deleted so long after the change; zero: it stays
	// Owner, if not empty, is the session that the key belongs to. The key does not survive the node that set it: another
	// incarnation deletes it. IfOwner commits a deletion only while the key belongs to that owner.
	Owner   string
	IfOwner string
}

// Publication is a committed message.
type Publication struct {
	Position
	PrevTag uint32 // tag of the entry before this one; zero before the first of an epoch
	UnixMS  int64  // when it was committed
	User    string
	Sender  string
	// Key is the key of a map that was set, or, if Gone, deleted. Empty in other channels.
	Key  string
	Gone bool
	wire.Message
}

// Size returns the bytes that p counts for in limits: its strings and data.
func (p *Publication) Size() int {
	n := len(p.Key) + len(p.Event) + len(p.Data.Body) + len(p.User) + len(p.Sender)
	for k, v := range p.Tags {
		n += len(k) + len(v)
	}
	return n
}

// Receipt is the answer to a proposal that was committed.
type Receipt struct {
	Position   Position // zero in an unretained channel that no node listens to
	Duplicate  bool     // committed before under the same idempotency id; Position is that of the first time
	Durability Durability
}

// Query selects a page. At most one of Since, Before and Last is set; with none, the newest publications are read.
type Query struct {
	Since    *Position // read forward, after this position
	Before   *Position // read backward, from the publication before the one at this position
	Last     int       // read forward, from this many publications before the newest, or from the first retained
	Limit    int       // at most this many; at least 1
	MaxBytes int       // end early once the publications' sizes reach this; zero: no limit
}

// Page is what a query found, oldest first whatever the direction.
type Page struct {
	Publications []*Publication
	// Start is the position before the first publication of the page; of an empty page, where a reader would go on.
	Start Position
	Top   Position // the channel's newest committed position
	// Complete says that nothing is missing between the named position and the page: the position was one of this log
	// and nothing after it (or before it, reading backward) was lost. Without a named position it is true.
	Complete bool
	// Evicted says of a page that is not Complete that the position was once one of this epoch, and retention dropped
	// what followed it. Otherwise the position is of another epoch or was never one of this channel.
	Evicted bool
	More    bool // there are more in the direction of the read
	// End is where a reader goes on after a page read forward: the last publication's position, and in a map, without
	// More, Top.
	End  Position
	Keys int // of a map: how many keys it has
}

// Kind says what a channel keeps.
type Kind uint8

// The kinds of channels.
const (
	KindPub Kind = iota // fan-out, nothing kept
	KindLog             // ordered and retained
	// KindMap keeps the last value of each key. Its publications are changes of keys; History has the latest of each key,
	// in the order of versions, forward only, from the beginning where no position is named. Deleted keys are in it for a
	// while (tombstones); a position older than a tombstone that was dropped is Evicted. Offsets of a page are not
	// consecutive.
	KindMap
)

// Rules say what an engine does for a channel. The zero value keeps nothing.
type Rules struct {
	Kind            Kind
	MaxPublications int           // retention of a log by count; zero: no limit
	MaxBytes        int64         // retention by the sum of sizes; zero: no limit
	MaxAge          time.Duration // retention by age; zero: no limit
	Durability      Durability    // of a log
	IdemWindow      time.Duration // how long idempotency ids are remembered; zero: DefaultIdemWindow
	MaxKeys         int           // of a map; zero: DefaultMaxKeys. A new key beyond it is ErrTooManyKeys
	Gather          time.Duration // how long news of a channel gathers on a node before its readers are woken; zero: not at all
}

// DefaultMaxKeys is how many keys a map may have where the rules do not say.
const DefaultMaxKeys = 10_000

// DefaultIdemWindow is how long an idempotency id is remembered where the rules do not say.
const DefaultIdemWindow = 5 * time.Minute

// Durability says what a commit survives.
type Durability uint8

// The durabilities, from the safest.
const (
	// DurabilityFsync survives a power cut: it was synced to disk before it was answered or shown to anyone.
	DurabilityFsync Durability = iota
	// DurabilityMayLoseTail was not waited for: if the process or the machine ends without a clean stop, what was
	// committed last (engine/local: in the last 0.1 s) may be lost, and the channel begins a new epoch.
	DurabilityMayLoseTail
	// DurabilityNone keeps nothing: what an unretained channel has.
	DurabilityNone
	// DurabilityRedisAlways was synced to Redis's append-only file. A failover to a replica may still lose what had not
	// reached it: that is found, and the channel begins a new epoch. So it is with all that follow.
	DurabilityRedisAlways
	DurabilityRedisEverySecond // may lose what Redis committed in about the last second
	DurabilityRedisNoSync      // may lose what the system had not written to disk, often half a minute
	DurabilityRedisMemory      // is lost when Redis ends, but for its snapshots
	DurabilityRedisUnknown     // Redis does not let its settings be read
)

// String returns the name used in answers and in the configuration.
func (d Durability) String() string {
	return [...]string{
		"fsync", "may-lose-tail", "none",
		"redis-always", "redis-everysec", "redis-no-sync", "redis-memory", "redis-unknown",
	}[d]
}

// Errors of engines. A caller finds them with errors.Is.
var (
	ErrIdemReused  = errors.New("idempotency id was used for another message")
	ErrUnavailable = errors.New("engine cannot commit")
	ErrDiskFull    = errors.New("no room on disk to commit")
	ErrNoHistory   = errors.New("channel keeps nothing")
	ErrBadPosition = errors.New("position is not one of the channel")
	ErrClosed      = errors.New("engine is closed")
	ErrNoNode      = errors.New("there is no such node")

	ErrVersionMismatch = errors.New("key has another version")
	ErrTooManyKeys     = errors.New("map has as many keys as it may")
)
