package auth

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		pattern       Pattern
		user, channel string
		want          bool
	}{
		{"chat:lobby", "", "chat:lobby", true},
		{"chat:lobby", "", "chat:lobby2", false},
		{"chat:lobby", "", "chat:lobb", false},
		{"chat:*", "", "chat:lobby", true},
		{"chat:*", "", "chats:lobby", false},
		{"chat:*", "", "chat2:lobby", false},
		{"chat:a*", "", "chat:b", false},
		{"chat:*:admin", "", "chat:x:admin", true},
		{"chat:ab*ba", "", "chat:aba", false}, // the ends may not overlap
		{"dm:{user}", "ann", "dm:ann", true},
		{"dm:{user}", "ann", "dm:anna", false},
		{"dm:{user}", "", "dm:", false},
		{"dm:{user}", "", "dm:{user}", false},
		{"dm:{user}", "*", "dm:ann", false}, // a user's name is no pattern
		{"dm:{user}", "{user}", "dm:ann", false},
		{"dm:{user}", "a:b", "dm:a:b", true},
		{"dm:{user}:*", "a", "dm:a:b", true},
		{"dm:{user}:*", "a:b", "dm:a:b:c", false}, // it is a's
		{"dm:{user},*", "ann", "dm:ann,bob", true},
		{"dm:*,{user}", "bob", "dm:ann,bob", true},
		{"dm:*,{user}", "ann,bob", "dm:x,ann,bob", false},
		{"dm:x-{user}", "b-c", "dm:x-b-c", false},
	} {
		if err := row.pattern.Validate(); err != nil {
			t.Errorf("%q: %v", row.pattern, err)
		}
		if got := row.pattern.Matches(row.channel, row.user); got != row.want {
			t.Errorf("%q for %q matches %q: %v", row.pattern, row.user, row.channel, got)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for _, p := range []Pattern{
		"", "*", "*:a", "ch*:a", "{user}:a", "chat", ":a", "chat:", "chat:**", "chat:a*b*", "chat:{user}{user}",
		"chat:*{user}", "chat:{user}*", "chat:\xff", Pattern("chat:" + strings.Repeat("a", 300)),
	} {
		if p.Validate() == nil {
			t.Errorf("%q is accepted", p)
		}
	}
}

func TestAllows(t *testing.T) {
	grants := []Grant{
		{Channels: []Pattern{"news:*"}, Allow: []Operation{Subscribe, History}},
		{Channels: []Pattern{"dm:{user}"}, Allow: []Operation{Publish}},
	}
	for _, row := range []struct {
		op      Operation
		channel string
		want    bool
	}{
		{Subscribe, "news:a", true}, {History, "news:a", true}, {Publish, "news:a", false}, {Set, "news:a", false},
		{Publish, "dm:ann", true}, {Subscribe, "dm:ann", false}, {Publish, "dm:bob", false},
	} {
		if got := Allows(grants, "ann", row.op, row.channel); got != row.want {
			t.Errorf("%s in %s: %v", row.op, row.channel, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("dm:{user}:*", "a:b", "dm:a:b:c")
	f.Fuzz(func(t *testing.T, pattern, user, channel string) {
		p := Pattern(pattern)
		if p.Validate() != nil || !p.Matches(channel, user) {
			return
		}
		namespace, _, _ := strings.Cut(pattern, ":")
		if got, _, _ := strings.Cut(channel, ":"); got != namespace {
			t.Errorf("%q matches %q of another namespace", pattern, channel)
		}
		if strings.Contains(pattern, userMark) && !strings.Contains(channel, user) {
			t.Errorf("%q for %q matches %q", pattern, user, channel)
		}
	})
}
