package earshot

import (
	"errors"
	"strings"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// A companion is a map that belongs to another channel: presence: says who is in it, read: how far users have read it. Nobody
// configures its rules, which follow from those of the channel.

const (
	companionKeys = 100_000
	// companionGather is how long changes gather before readers are woken: where many come at once, or many read the same
	// message, they are told at once.
	companionGather = 250 * time.Millisecond
)

// companionNamespaces are reserved, and why.
var companionNamespaces = map[string]string{
	wire.Namespace(wire.PresenceMap("")): "set Presence of a namespace instead",
	wire.Namespace(wire.ReadMap("")):     "set ReadCursors of a namespace instead",
	wire.Namespace(revokedChannel):       "call Server.Revoke instead",
}

func companionRules(d Durability) engine.Rules {
	rules := Namespace{Kind: Map, MaxKeys: companionKeys, Durability: d}.rules()
	rules.Gather = companionGather
	return rules
}

// presentIn returns the channel whose presence map is named.
func presentIn(channel string) (string, bool) {
	return strings.CutPrefix(channel, wire.PresenceMap(""))
}

// owned completes the rules of an inbox.
func (ns Namespace) owned(name string) Namespace {
	if ns.Kind == Inbox {
		ns.Subscribe, ns.ReadHistory, ns.ReadCursors = Owners, Owners, Users
		ns.Owners = []Pattern{Pattern(name + ":{user}")}
	}
	return ns
}

// checkCompanions refuses rules that contradict what an inbox and a read cursor are.
func (ns Namespace) checkCompanions() error {
	switch {
	case ns.Kind == Inbox && max(ns.Subscribe, ns.ReadHistory, ns.Presence) != Nobody:
		return errors.New("an Inbox belongs to its user, so it has no rules Subscribe, ReadHistory and Presence")
	case ns.Kind == Inbox && len(ns.Owners) > 0:
		return errors.New("an Inbox belongs to its user, so it has no Owners")
	case ns.ReadCursors > Users:
		return errors.New("ReadCursors are Nobody's or Users': an anonymous client has no name to keep one under")
	case ns.ReadCursors != Nobody && !ns.keepsLog():
		return errors.New("only a Log or Inbox namespace has ReadCursors")
	}
	return nil
}
