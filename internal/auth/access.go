package auth

import "slices"

// Access says to whom a namespace's rule allows something.
type Access uint8

// The rules of access.
const (
	Nobody Access = iota
	Users         // clients with a user
	Anyone        // anonymous clients too
	Owners        // the users that the channel belongs to: see Rule.Owners
)

// Who is a client, as far as it matters for what it may do.
type Who struct {
	User   string // empty for an anonymous client
	Grants []Grant
}

// Rule is what a namespace says of one operation in its channels.
type Rule struct {
	Access Access
	Owners []Pattern // of channels that belong to users; each has {user} in it
}

// Decide reports whether who may do op in channel: because the rule of the channel's namespace allows it, or a grant of
// the token does. Nothing else allows anything.
func Decide(who Who, op Operation, channel string, rule Rule) bool {
	return rule.includes(who.User, channel) || Allows(who.Grants, who.User, op, channel)
}

func (r Rule) includes(user, channel string) bool {
	switch r.Access {
	case Anyone:
		return true
	case Users:
		return user != ""
	case Owners:
		return slices.ContainsFunc(r.Owners, func(p Pattern) bool { return p.NamesUser() && p.Matches(channel, user) })
	}
	return false
}
