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

// presence is the rules of the presence maps of a namespace.
func (ns Namespace) presence() Namespace {
	return Namespace{Kind: Map, Subscribe: ns.Presence, ReadHistory: ns.Presence}
}

// cursors is the rules of the read maps of a namespace: whoever may subscribe sees the cursors, and, if it is a user, has one.
func (ns Namespace) cursors() Namespace {
	maps := Namespace{Kind: Map}
	if ns.ReadCursors == Nobody {
		return maps
	}
	maps.Subscribe, maps.ReadHistory, maps.Publish = ns.Subscribe, ns.Subscribe, ns.Subscribe
	if maps.Publish == Anyone {
		maps.Publish = Users
	}
	return maps
}

// owned completes the rules of an inbox.
func (ns Namespace) owned() Namespace {
	if ns.Kind == Inbox {
		ns.Subscribe, ns.ReadHistory, ns.ReadCursors = owner, owner, Users
	}
	return ns
}

// ownerOf returns the user that an inbox, or the read map of one, belongs to.
func ownerOf(channel string) string {
	if of, ok := wire.ReadOf(channel); ok {
		channel = of
	}
	_, user, _ := strings.Cut(channel, ":")
	return user
}

// checkOwners refuses rules that contradict what an inbox and a read cursor are.
func (ns Namespace) checkOwners() error {
	switch {
	case ns.Kind == Inbox && max(ns.Subscribe, ns.ReadHistory, ns.Presence) != Nobody:
		return errors.New("an Inbox belongs to its user, so it has no rules Subscribe, ReadHistory and Presence")
	case ns.ReadCursors == Anyone:
		return errors.New("ReadCursors are Nobody's or Users': an anonymous client has no name to keep one under")
	case ns.ReadCursors != Nobody && !ns.keepsLog():
		return errors.New("only a Log or Inbox namespace has ReadCursors")
	}
	return nil
}
