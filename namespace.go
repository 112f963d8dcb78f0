package earshot

import (
	"errors"
	"strings"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Namespace says what the channels of one namespace keep and who may use them. The zero value keeps nothing and allows
// nothing.
type Namespace struct {
	Kind    Kind
	History History // what a log retains
	// Durability of a log. The zero value is fsync.
	Durability Durability

	Subscribe   Access
	Publish     Access // in a Map: set and delete keys
	ReadHistory Access
	Presence    Access // who may be present in a channel, and see who is

	MaxKeys int // of a Map; zero: 10,000
}

// Kind says what a channel keeps.
type Kind = engine.Kind

// The kinds of channels.
const (
	Pub = engine.KindPub // fan-out, nothing kept
	Log = engine.KindLog // ordered, retained, resumed without a gap
	Map = engine.KindMap // the last value of each key
)

// Durability says what a committed message survives.
type Durability = engine.Durability

// The durabilities of a log.
const (
	Fsync       = engine.DurabilityFsync       // a power cut
	MayLoseTail = engine.DurabilityMayLoseTail // the end of the process; a crash of the machine may lose what came last
)

// History is the retention of a log: what goes beyond one of the limits is dropped, oldest first. Zero means no limit;
// if all are zero, 1,000 publications and 24 hours.
type History struct {
	Size  int           // publications
	Bytes int64         // the sum of their sizes
	Age   time.Duration // since they were committed
}

// Access says who may do something.
type Access uint8

// The rules of access.
const (
	Nobody Access = iota
	Users         // clients that OnConnect gave a user
	Anyone        // anonymous clients too
)

func (ns Namespace) check() error {
	switch {
	case ns.Kind > Map:
		return errors.New("unknown Kind")
	case ns.Kind != Log && ns.History != History{}:
		return errors.New("only a Log namespace keeps History")
	case ns.MaxKeys < 0 || ns.Kind != Map && ns.MaxKeys != 0:
		return errors.New("MaxKeys is a positive number, for a Map namespace")
	case ns.History.Size < 0 || ns.History.Bytes < 0 || ns.History.Age < 0:
		return errors.New("History has a negative limit")
	case ns.Durability != Fsync && ns.Durability != MayLoseTail:
		return errors.New("unknown Durability of a log")
	case max(ns.Subscribe, ns.Publish, ns.ReadHistory, ns.Presence) > Anyone:
		return errors.New("unknown Access")
	}
	return nil
}

func (ns Namespace) rules() engine.Rules {
	if ns.Kind != Log {
		return engine.Rules{Kind: ns.Kind, MaxKeys: ns.MaxKeys, Durability: ns.Durability}
	}
	h := ns.History
	if h == (History{}) {
		h = History{Size: 1_000, Age: 24 * time.Hour}
	}
	return engine.Rules{Kind: Log, MaxPublications: h.Size, MaxBytes: h.Bytes, MaxAge: h.Age, Durability: ns.Durability}
}

// presenceGather is how long changes of a presence map gather before its readers are woken.
const presenceGather = 250 * time.Millisecond

// namespaces are the rules by name.
type namespaces map[string]Namespace

// presenceNamespace is the rules of the maps that say who is in a channel, but for who may see them.
var presenceNamespace = Namespace{Kind: Map, MaxKeys: 100_000}

// of returns the namespace of a channel. The rules of a presence map are those of its channel's presence.
func (all namespaces) of(channel string) (Namespace, error) {
	if err := wire.ValidateChannel(channel); err != nil {
		return Namespace{}, err
	}
	name := wire.Namespace(channel)
	if inside, ok := presentIn(channel); ok {
		ns, err := all.of(inside)
		presence := presenceNamespace
		presence.Subscribe, presence.ReadHistory = ns.Presence, ns.Presence
		return presence, err
	}
	ns, ok := all[name]
	if !ok {
		return Namespace{}, wire.Errorf(wire.CodeBadChannel, "there is no namespace %q", name)
	}
	return ns, nil
}

// presentIn returns the channel whose presence map is named.
func presentIn(channel string) (string, bool) {
	return strings.CutPrefix(channel, wire.PresenceMap(""))
}

// engineRules is what the engine keeps of a channel.
func (all namespaces) engineRules(channel string) engine.Rules {
	if _, ok := presentIn(channel); ok {
		rules := presenceNamespace.rules()
		rules.Gather = presenceGather
		return rules
	}
	return all[wire.Namespace(channel)].rules()
}
