package earshot

import (
	"errors"
	"fmt"
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
	Publish     Access // in a Map: set and delete keys; in an Inbox: publish into those of all users
	ReadHistory Access
	Presence    Access // who may be present in a channel, and see who is
	// Owners says to whom a channel belongs, where one of the rules above is Owners: to the users for whom one of the patterns
	// matches it. Each has {user} in it: "dm:{user},*" and "dm:*,{user}" make dm:ann,ben that of ann and ben.
	Owners []Pattern
	// ReadCursors of a Log: Nobody or Users. Whoever may subscribe to a channel sees its cursors: see wire.ReadMap. An Inbox
	// always has them.
	ReadCursors Access

	MaxKeys  int // of a Map; zero: 10,000
	MaxValue int // of a Map: bytes that a value may have; zero: 64 KB
}

// Kind says what a channel keeps.
type Kind uint8

// The kinds of channels.
const (
	Pub Kind = iota // fan-out, nothing kept
	Log             // ordered, retained, resumed without a gap
	Map             // the last value of each key
	// Inbox is a Log for each user, whose name is that of the channel after the colon. Only that user's clients may subscribe
	// to it and read it, and those whose token grants it. It has no rules Subscribe, ReadHistory and Presence.
	Inbox
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

func (ns Namespace) check(name string) error {
	switch {
	case ns.Kind > Inbox:
		return errors.New("unknown Kind")
	case !ns.keepsLog() && ns.History != History{}:
		return errors.New("only a Log or Inbox namespace keeps History")
	case ns.MaxKeys < 0 || ns.Kind != Map && ns.MaxKeys != 0:
		return errors.New("MaxKeys is a positive number, for a Map namespace")
	case ns.MaxValue < 0 || ns.MaxValue > wire.MaxFrameBytes || ns.Kind != Map && ns.MaxValue != 0:
		return fmt.Errorf("MaxValue is at most %d, for a Map namespace", wire.MaxFrameBytes)
	case ns.History.Size < 0 || ns.History.Bytes < 0 || ns.History.Age < 0:
		return errors.New("History has a negative limit")
	case ns.Durability != Fsync && ns.Durability != MayLoseTail:
		return errors.New("unknown Durability of a log")
	case max(ns.Subscribe, ns.Publish, ns.ReadHistory, ns.Presence, ns.ReadCursors) > Owners:
		return errors.New("unknown Access")
	}
	if err := ns.checkCompanions(); err != nil {
		return err
	}
	return ns.checkPatterns(name)
}

func (ns Namespace) keepsLog() bool { return ns.Kind == Log || ns.Kind == Inbox }

func (ns Namespace) rules() engine.Rules {
	switch ns.Kind {
	case Pub:
		return engine.Rules{}
	case Map:
		return engine.Rules{Kind: engine.KindMap, MaxKeys: ns.MaxKeys, Durability: ns.Durability}
	}
	h := ns.History
	if h == (History{}) {
		h = History{Size: 1_000, Age: 24 * time.Hour}
	}
	return engine.Rules{Kind: engine.KindLog, MaxPublications: h.Size, MaxBytes: h.Bytes, MaxAge: h.Age, Durability: ns.Durability}
}

// namespaces are the rules by name. Those of inboxes name their owners.
type namespaces map[string]Namespace

func newNamespaces(given map[string]Namespace) namespaces {
	all := make(namespaces, len(given))
	for name, ns := range given {
		all[name] = ns.owned(name)
	}
	return all
}

// of returns the namespace of a channel. That of a map which belongs to another channel has no rules of access: see allow.
func (all namespaces) of(channel string) (Namespace, error) {
	if err := wire.ValidateChannel(channel); err != nil {
		return Namespace{}, err
	}
	if inside, ok := presentIn(channel); ok {
		_, err := all.of(inside)
		return Namespace{Kind: Map}, err
	}
	if of, ok := wire.ReadOf(channel); ok {
		_, err := all.of(of)
		return Namespace{Kind: Map}, err
	}
	name := wire.Namespace(channel)
	ns, ok := all[name]
	if !ok {
		return Namespace{}, wire.Errorf(wire.CodeBadChannel, "there is no namespace %q", name)
	}
	return ns, nil
}

// engineRules is what the engine keeps of a channel.
func (all namespaces) engineRules(channel string) engine.Rules {
	if _, ok := presentIn(channel); ok {
		return companionRules(Fsync)
	}
	if channel == revokedChannel {
		return revokedRules
	}
	if of, ok := wire.ReadOf(channel); ok {
		return companionRules(all[wire.Namespace(of)].Durability)
	}
	return all[wire.Namespace(channel)].rules()
}
