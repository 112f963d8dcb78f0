package auth

import (
	"slices"
	"strings"

	"github.com/earshot/earshot/wire"
)

// Limits of a token's grants.
const (
	maxGrants   = 100
	maxPatterns = 100 // of one grant
)

// Operation is what a client wants to do in a channel.
type Operation string

// The operations.
const (
	Subscribe Operation = "subscribe"
	Publish   Operation = "publish"
	History   Operation = "history"
	Presence  Operation = "presence"
	Set       Operation = "set" // set and delete keys of a map
)

var operations = []Operation{Subscribe, Publish, History, Presence, Set}

// Grant allows operations in the channels that its patterns match.
type Grant struct {
	Channels []Pattern   `json:"channels"`
	Allow    []Operation `json:"allow"`
}

// Allows reports whether one of the grants lets user do op in channel.
func Allows(grants []Grant, user string, op Operation, channel string) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool {
		return slices.Contains(g.Allow, op) &&
			slices.ContainsFunc(g.Channels, func(p Pattern) bool { return p.Matches(channel, user) })
	})
}

func checkGrants(grants []Grant) error {
	if len(grants) > maxGrants {
		return refusal("the token has too many grants")
	}
	for _, g := range grants {
		if len(g.Channels) > maxPatterns {
			return refusal("a grant of the token has too many channels")
		}
		for _, p := range g.Channels {
			if err := p.Validate(); err != nil {
				return refusal("a grant of the token has a channel pattern that is not valid")
			}
		}
		for _, op := range g.Allow {
			if !slices.Contains(operations, op) {
				return refusal("a grant of the token allows something unknown")
			}
		}
	}
	return nil
}

// Pattern names channels: literally, with at most one "*" after the namespace, which stands for any text, also none, and
// at most one "{user}", which stands for the client's user.
type Pattern string

const userMark = "{user}"

// Validate returns an error with code bad_channel if p is no pattern.
func (p Pattern) Validate() error {
	text := string(p)
	namespace, rest, ok := strings.Cut(text, ":")
	switch {
	case !ok || namespace == "":
		return wire.Errorf(wire.CodeBadChannel, "a pattern begins with a namespace and a colon")
	case strings.ContainsAny(namespace, "*{"):
		return wire.Errorf(wire.CodeBadChannel, "a pattern names one namespace, without * and {user}")
	case strings.Count(rest, "*") > 1 || strings.Count(rest, userMark) > 1:
		return wire.Errorf(wire.CodeBadChannel, "a pattern has at most one * and one {user}")
	case strings.Contains(rest, "*"+userMark) || strings.Contains(rest, userMark+"*"):
		return wire.Errorf(wire.CodeBadChannel, "something must stand between * and {user}, or one user could be taken for another")
	}
	return wire.ValidateChannel(strings.NewReplacer("*", "x", userMark, "x").Replace(text))
}

// NamesUser reports whether p has {user} in it, so that it matches no two users' channels alike.
func (p Pattern) NamesUser() bool { return strings.Contains(string(p), userMark) }

// Matches reports whether p names channel for user. A pattern with {user} matches nothing for an anonymous client, and
// nothing for a user whose name contains the character beside {user}: dm:{user}:* would otherwise give the user "a:b"
// what belongs to "a".
func (p Pattern) Matches(channel, user string) bool {
	before, after, starred := strings.Cut(string(p), "*")
	before, ok := fillIn(before, user)
	if !ok {
		return false
	}
	after, ok = fillIn(after, user)
	if !ok {
		return false
	}
	if !starred {
		return channel == before
	}
	return len(channel) >= len(before)+len(after) && strings.HasPrefix(channel, before) && strings.HasSuffix(channel, after)
}

// fillIn puts user in the place of {user}.
func fillIn(part, user string) (string, bool) {
	left, right, found := strings.Cut(part, userMark)
	if !found {
		return part, true
	}
	if user == "" || right != "" && strings.Contains(user, right[:1]) || beside(left, user) {
		return "", false
	}
	return left + user + right, true
}

// beside reports whether user contains the character before {user}. The colon after the namespace is no such character:
// what is before it is fixed.
func beside(left, user string) bool {
	inside := left[strings.Index(left, ":")+1:]
	return inside != "" && strings.Contains(user, inside[len(inside)-1:])
}
