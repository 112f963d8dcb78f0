// Package wire is Earshot's protocol: the frames, the codecs that write and read them, the limits, and the one table
// of error and close codes. It does no I/O and starts no goroutine; every layer may import it and it imports none.
//
// docs/reference/protocol.md specifies the same protocol in prose, and testdata/protocol holds one golden file for each
// kind of frame.
package wire

import "time"

// ClientFrame is what a client says. ID is chosen by the client and repeated in the reply; zero means that no reply is
// wanted (errors are sent all the same, without an id). In a Result it is that of the server's Invocation.
type ClientFrame struct {
	ID   uint64
	Body ClientBody
}

// ClientBody is one of Hello, Subscribe, Unsubscribe, Publish, History, Set, Delete, Join, Leave, Call, Result, Refresh,
// Ping and Pong.
type ClientBody interface{ clientBody() }

// Hello opens a session. It may be left out where anonymous clients are allowed, and must be the first frame otherwise.
type Hello struct {
	Token  string // what the application's connect hook checks; empty for an anonymous client
	Client string // name and version of the client library, for the operator
	// Sender names this client across reconnects, so that a subscription without echoes also skips what the client
	// published on an earlier connection. A secret of the client; never shown to others.
	Sender string
	// Resume is the secret from an earlier Welcome: the session goes on under its id if the server still has it.
	Resume string
	// Heartbeat asks the server for a Ping frame at least this often, for clients that cannot see WebSocket's pings.
	// Zero asks for none. Milliseconds on the wire.
	Heartbeat time.Duration
}

// Subscribe asks for a channel's publications.
//
// With Since, delivery starts after that position, or the server says Reset. With Last, it starts Last publications
// before the newest. With both, Last says where a reset goes on. With neither, it starts now, or, in a map, with every
// key there is.
type Subscribe struct {
	Channel string
	Since   string
	Last    int
	NoEcho  bool // leave out what this client published itself
	// Every is the least time between two deliveries of a map. Zero: none. Milliseconds on the wire.
	Every time.Duration
}

// Unsubscribe ends a subscription.
type Unsubscribe struct{ Channel string }

// Publish appends a message to a channel. Idem, an idempotency id, makes a retry harmless: the same id and message in
// the same channel by the same user is committed once.
type Publish struct {
	Channel string
	Idem    string
	Message
}

// History reads a page of a log: the publications after Since, or those before Before, or the newest. At most one of
// the two may be set. Limit zero means DefaultPageLimit.
type History struct {
	Channel string
	Since   string
	Before  string
	Limit   int
}

// Refresh replaces the session's token.
type Refresh struct{ Token string }

// Ping asks the other side for a Pong. Either side may send it.
type Ping struct{}

// Pong answers a Ping.
type Pong struct{}

func (Hello) clientBody()       {}
func (Subscribe) clientBody()   {}
func (Unsubscribe) clientBody() {}
func (Publish) clientBody()     {}
func (History) clientBody()     {}
func (Refresh) clientBody()     {}
func (Ping) clientBody()        {}
func (Pong) clientBody()        {}

// ServerFrame is what the server says. ID repeats that of the client's frame it answers; zero means that it answers none.
// In an Invocation it is the server's own number, which has nothing to do with those of the client.
type ServerFrame struct {
	ID   uint64
	Body ServerBody
}

// ServerBody is one of Welcome, Subscribed, Unsubscribed, Published, Page, Returned, Refreshed, Error, Publication, Reset,
// Missed, Moved, Synced, Invocation, Ping, Pong and Bye.
type ServerBody interface{ serverBody() }

// Welcome answers Hello.
type Welcome struct {
	Session string // the session's public id
	Resume  string // the secret to name in a later Hello
	User    string // the identity that the connect hook gave; empty for an anonymous client
	Resumed bool   // the session that Hello.Resume named goes on
	// Heartbeat is the interval of Ping frames that the server will send. Zero: none. Milliseconds on the wire.
	Heartbeat time.Duration
	// Expires is how long the token is still good, at most MaxExpires. Zero: there is none that expires. Milliseconds on the wire.
	Expires time.Duration
}

// Subscribed answers Subscribe. The stream of publications starts after Position.
type Subscribed struct {
	Channel  string
	Position string
}

// Unsubscribed answers Unsubscribe, or, with a Code, says that the server ended the subscription.
type Unsubscribed struct {
	Channel string
	Code    Code // zero in an answer
	Reason  string
}

// Published answers Publish, Set, Delete, Join and Leave once the message is committed. Position and Offset are empty in a
// channel that keeps nothing and that nobody listens to.
type Published struct {
	Channel    string
	Position   string
	Offset     uint64
	Duplicate  bool   // committed before under the same idempotency id; the answer is that of the first time
	Durability string // what the commit survives: see engine.Durability
}

// Page answers History. Publications are in the channel's order, oldest first, whatever the direction of the read.
type Page struct {
	Channel      string
	Publications []Publication // the wire leaves out the Channel of each; decoding fills it in
	Position     string        // the channel's newest position
	// Complete says that nothing is missing between the position that was named and the page.
	Complete bool
	More     bool // there are more publications in the direction of the read
	Keys     int  // of a map: how many keys it has
}

// Refreshed answers Refresh.
type Refreshed struct {
	Expires time.Duration // as in Welcome, of the new token
}

// Error says that a client's frame could not be served.
type Error struct {
	Code       Code
	Reason     string
	RetryAfter time.Duration // zero: the client's own backoff. Milliseconds on the wire
}

// Publication is one message in a channel. In a map it is what a key holds, and Offset the key's version.
type Publication struct {
	Channel  string
	Offset   uint64
	Position string
	UnixMS   int64  // when it was committed, milliseconds since 1970
	User     string // who published it; empty for an anonymous client
	Key      string // of a map: the key
	Gone     bool   // of a map: the key was deleted; Message is empty
	Message
}

// Reset says that continuity could not be proven: what came before and what follows Position do not join.
type Reset struct {
	Channel  string
	Position string
	Why      ResetReason
}

// ResetReason says why a stream was reset.
type ResetReason string

// The reasons of a Reset.
const (
	ResetEvicted ResetReason = "evicted" // retention dropped publications that the reader had not read
	ResetEpoch   ResetReason = "epoch"   // the channel's log began anew
	ResetUnknown ResetReason = "unknown" // the position was never one of this channel
)

// Missed says how many publications of a channel that keeps nothing went by unread, up to Position.
type Missed struct {
	Channel  string
	Count    uint64
	Position string
}

// Moved says that the reader's position advanced over publications that were not for it (its own, without echoes).
type Moved struct {
	Channel  string
	Position string
}

// Bye is the last frame before the server closes, with the close code that follows it.
type Bye struct {
	Code   Code
	Reason string
	Delay  time.Duration // do not come back before this. Milliseconds on the wire
}

func (Welcome) serverBody()      {}
func (Subscribed) serverBody()   {}
func (Unsubscribed) serverBody() {}
func (Published) serverBody()    {}
func (Page) serverBody()         {}
func (Refreshed) serverBody()    {}
func (Error) serverBody()        {}
func (Publication) serverBody()  {}
func (Reset) serverBody()        {}
func (Missed) serverBody()       {}
func (Moved) serverBody()        {}
func (Ping) serverBody()         {}
func (Pong) serverBody()         {}
func (Bye) serverBody()          {}
