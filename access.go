package earshot

import (
	"errors"
	"fmt"
	"strings"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// Access says who may do something.
type Access = auth.Access

// The rules of access.
const (
	Nobody = auth.Nobody
	Users  = auth.Users  // clients with a user, which a token or OnConnect gave them
	Anyone = auth.Anyone // anonymous clients too
	Owners = auth.Owners // the users that the channel belongs to: see Namespace.Owners
)

// Pattern names channels: literally, with at most one "*" after the namespace, which stands for any text, also none, and
// at most one "{user}", which stands for the client's user.
type Pattern = auth.Pattern

// decide returns the namespace of a channel, or an error unless who may do op there. Every operation of every client on every
// transport is decided here. What is not allowed is refused alike whether the channel has anything in it or not.
func (all namespaces) decide(who auth.Who, op auth.Operation, channel string) (Namespace, error) {
	ns, err := all.of(channel)
	if err != nil {
		return Namespace{}, err
	}
	if !all.allow(who, op, channel) {
		return Namespace{}, &wire.ProtocolError{Code: wire.CodeForbidden}
	}
	return ns, nil
}

// allow decides about a map that belongs to another channel there: it has no rules or grants of its own.
func (all namespaces) allow(who auth.Who, op auth.Operation, channel string) bool {
	reads := op == auth.Subscribe || op == auth.History
	if inside, ok := presentIn(channel); ok {
		return reads && all.allow(who, auth.Presence, inside)
	}
	if of, ok := wire.ReadOf(channel); ok {
		// An anonymous client has no name to keep a cursor under.
		moves := op != auth.Presence && who.User != ""
		return all.hasCursors(of) && (reads || moves) && all.allow(who, auth.Subscribe, of)
	}
	ns := all[wire.Namespace(channel)]
	if op == auth.History && ns.Kind == Pub {
		// It has no history to protect: who may subscribe learns so from the engine's ErrNoHistory.
		op = auth.Subscribe
	}
	return auth.Decide(who, op, channel, auth.Rule{Access: ns.access(op), Owners: ns.Owners})
}

func (all namespaces) hasCursors(channel string) bool {
	return all[wire.Namespace(channel)].ReadCursors != Nobody
}

// access returns the rule for an operation.
func (ns Namespace) access(op auth.Operation) Access {
	switch op {
	case auth.Subscribe:
		return ns.Subscribe
	case auth.Publish, auth.Set:
		return ns.Publish
	case auth.History:
		return ns.ReadHistory
	case auth.Presence:
		return ns.Presence
	}
	return Nobody
}

// accesses are the rules that may be Owners.
func (ns Namespace) accesses() []Access {
	return []Access{ns.Subscribe, ns.Publish, ns.ReadHistory, ns.Presence}
}

// checkPatterns refuses patterns of owners that are not of this namespace, or that would make everybody an owner.
func (ns Namespace) checkPatterns(name string) error {
	used := false
	for _, a := range ns.accesses() {
		used = used || a == Owners
	}
	if used != (len(ns.Owners) > 0) {
		return errors.New("the access Owners and the patterns in Owners go together")
	}
	for _, p := range ns.Owners {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("pattern %q of Owners: %w", p, err)
		}
		if !p.NamesUser() || !strings.HasPrefix(string(p), name+":") {
			return fmt.Errorf("pattern %q of Owners: it begins with %q and has {user} in it", p, name+":")
		}
	}
	return nil
}
