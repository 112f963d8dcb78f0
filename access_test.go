package earshot

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// operations are those that a client can want to do, in the order of the letters in the table of TestWhoMayDoWhat.
var operations = []auth.Operation{auth.Subscribe, auth.Publish, auth.History, auth.Presence, auth.Set}

// grant reads "subscribe,publish dm:*".
func grant(t *testing.T, text string) []auth.Grant {
	t.Helper()
	if text == "" {
		return nil
	}
	allow, channel, _ := strings.Cut(text, " ")
	g := auth.Grant{Channels: []Pattern{Pattern(channel)}}
	for _, op := range strings.Split(allow, ",") {
		g.Allow = append(g.Allow, auth.Operation(op))
	}
	if err := g.Channels[0].Validate(); err != nil {
		t.Fatal(err)
	}
	return []auth.Grant{g}
}

// What a client may do in a channel, as the letters of subscribe, publish, history, presence and set, by its user, what its
// token grants, and the rules of the namespace. Whatever is not in a row's letters must be denied.
func TestWhoMayDoWhat(t *testing.T) {
	all := newNamespaces(map[string]Namespace{
		"closed": {Kind: Log},
		"users":  {Kind: Log, Subscribe: Users, Publish: Users, ReadHistory: Users, Presence: Users, ReadCursors: Users},
		"open":   {Kind: Log, Subscribe: Anyone, Publish: Anyone, ReadHistory: Anyone, Presence: Anyone, ReadCursors: Users},
		"wall":   {Kind: Log, Subscribe: Anyone},
		"live":   {Subscribe: Users},
		"board":  {Kind: Map, Subscribe: Users, Publish: Users},
		"inbox":  {Kind: Inbox, Publish: Users},
		"dm": {
			Kind: Log, Owners: []Pattern{"dm:{user},*", "dm:*,{user}"},
			Subscribe: Owners, Publish: Owners, ReadHistory: Owners, Presence: Owners, ReadCursors: Users,
		},
		"desk": {Kind: Log, Owners: []Pattern{"desk:{user}"}, Subscribe: Owners, Publish: Anyone},
	})
	for _, row := range []struct{ user, grant, channel, may string }{
		{"", "", "closed:a", ""},
		{"ann", "", "closed:a", ""},
		{"ann", "subscribe closed:a", "closed:a", "S"},
		{"ann", "publish closed:a", "closed:a", "P"},
		{"ann", "history closed:a", "closed:a", "H"},
		{"ann", "presence closed:a", "closed:a", "R"},
		{"ann", "set closed:a", "closed:a", "E"},
		{"ann", "subscribe,publish,history,presence,set closed:*", "closed:a", "SPHRE"},
		{"ann", "subscribe,publish,history,presence,set closed:*", "users:a", "SPHRE"},
		{"ann", "subscribe,publish,history,presence,set closed:*", "wall:a", "S"},
		{"ann", "subscribe closed:a", "closed:ab", ""},
		{"ann", "subscribe closed:a*c", "closed:abc", "S"},
		{"ann", "subscribe closed:{user}", "closed:ann", "S"},
		{"ann", "subscribe closed:{user}", "closed:ben", ""},

		{"", "", "users:a", ""},
		{"ann", "", "users:a", "SPHRE"},
		{"", "", "open:a", "SPHRE"},
		{"", "", "wall:a", "S"},
		{"", "", "live:a", ""},
		{"ann", "", "live:a", "SH"}, // the engine says that there is no history
		{"", "", "board:a", ""},
		{"ann", "", "board:a", "SPE"}, // and that a map is not published to
		{"ann", "publish closed:a", "board:a", "SPE"},

		{"ann", "", "inbox:ann", "SPHE"},
		{"ann", "", "inbox:ben", "PE"},
		{"", "", "inbox:ann", ""},
		{"", "", "inbox:", ""},
		{"ann", "subscribe inbox:*", "inbox:ben", "SPE"},

		{"ann", "", "dm:ann,ben", "SPHRE"},
		{"ben", "", "dm:ann,ben", "SPHRE"},
		{"eve", "", "dm:ann,ben", ""},
		{"", "", "dm:ann,ben", ""},
		{"ann,ben", "", "dm:ann,ben", ""}, // a name that reads like two
		{"ben", "", "dm:ann,ben,eve", ""}, // nor what begins or ends like it
		{"an", "", "dm:ann,ben", ""},      // nor a part of a name
		{"*", "", "dm:ann,ben", ""},       // nor a name that is a pattern
		{"{user}", "", "dm:ann,ben", ""},  //
		{"eve", "history dm:ann,*", "dm:ann,ben", "H"},
		{"", "", "desk:ann", "PE"},
		{"ann", "", "desk:ann", "SPE"},
		{"ben", "", "desk:ann", "PE"},

		// Maps that belong to a channel: who may be present sees who is, who may subscribe sees and has cursors.
		{"", "", "presence:closed:a", ""},
		{"ann", "presence closed:a", "presence:closed:a", "SH"},
		{"ann", "subscribe presence:*", "presence:closed:a", ""},
		{"ann", "subscribe closed:a", "presence:closed:a", ""},
		{"", "", "presence:open:a", "SH"},
		{"eve", "", "presence:dm:ann,ben", ""},
		{"ann", "", "presence:presence:open:a", ""},
		{"ann", "", "presence:read:open:a", ""},
		{"", "", "read:open:a", "SH"},
		{"ann", "", "read:open:a", "SPHE"},
		{"ann", "", "read:closed:a", ""},
		{"ann", "subscribe closed:a", "read:closed:a", ""}, // it has none
		{"ann", "subscribe,set read:*", "read:dm:eve,ben", ""},
		{"ann", "subscribe dm:*", "read:dm:eve,ben", "SPHE"},
		{"ann", "", "read:inbox:ann", "SPHE"},
		{"ann", "", "read:inbox:ben", ""},
		{"ann", "", "read:presence:open:a", ""},
		{"ann", "", "read:read:open:a", ""},
	} {
		who := auth.Who{User: row.user, Grants: grant(t, row.grant)}
		var may string
		for i, op := range operations {
			_, err := all.decide(who, op, row.channel)
			if err == nil {
				may += "SPHRE"[i : i+1]
			} else if e := new(wire.ProtocolError); !errors.As(err, &e) || e.Code != wire.CodeForbidden && e.Code != wire.CodeBadChannel {
				t.Errorf("%+v: %v", row, err)
			}
		}
		if may != row.may {
			t.Errorf("%+v: may %q", row, may)
		}
	}
}

// Every combination of a rule, a kind of client and an operation is as its two tables say, so that none was forgotten.
func TestEveryRuleForEveryOperation(t *testing.T) {
	allowed := map[Access]string{Nobody: "", Users: "owner user", Anyone: "owner user anonymous", Owners: "owner"}
	clients := map[string]string{"owner": "ann", "user": "ben", "anonymous": ""}
	for access, who := range allowed {
		for client, user := range clients {
			for _, op := range operations {
				for _, granted := range []bool{false, true} {
					ns := Namespace{Kind: Log, Owners: []Pattern{"a:{user}"}}
					set := map[auth.Operation]*Access{
						auth.Subscribe: &ns.Subscribe, auth.Publish: &ns.Publish, auth.Set: &ns.Publish,
						auth.History: &ns.ReadHistory, auth.Presence: &ns.Presence,
					}
					*set[op] = access
					asks := auth.Who{User: user}
					if granted {
						asks.Grants = grant(t, fmt.Sprintf("%s a:*", op))
					}
					_, err := newNamespaces(map[string]Namespace{"a": ns}).decide(asks, op, "a:ann")
					if want := granted || strings.Contains(who, client); (err == nil) != want {
						t.Errorf("rule %d, %s, %s, granted %v: %v", access, client, op, granted, err)
					}
				}
			}
		}
	}
}

func TestOwnersThatContradictThemselves(t *testing.T) {
	for name, ns := range map[string]Namespace{
		"no patterns":       {Subscribe: Owners},
		"no rule":           {Owners: []Pattern{"a:{user}"}},
		"no user":           {Owners: []Pattern{"a:b"}, Subscribe: Owners},
		"another namespace": {Owners: []Pattern{"ab:{user}"}, Subscribe: Owners},
		"no pattern":        {Owners: []Pattern{"a:{user}*"}, Subscribe: Owners},
		"cursors":           {Kind: Log, Owners: []Pattern{"a:{user}"}, Subscribe: Owners, ReadCursors: Owners},
		"an inbox":          {Kind: Inbox, Owners: []Pattern{"a:{user}"}},
	} {
		if ns.check("a") == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
