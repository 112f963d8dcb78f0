package earshot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

func TestValuesAreBounded(t *testing.T) {
	namespaces := withMaps()
	small := namespaces["map"]
	small.MaxValue = 10
	namespaces["small"] = small
	srv := testkit.Start(t, earshot.Options{Namespaces: namespaces})
	c := testkit.Connect(t, srv.URL)
	for value, want := range map[string]string{
		`"data":"12345678"`:          "published", // ten bytes, with the quotes
		`"data":"123456789"`:         "too_large",
		`"b64":"AAAAAAAAAAAAAA=="`:   "published",
		`"b64":"AAAAAAAAAAAAAAA="`:   "too_large",
		`"data":  "12345678"  `:      "published",
		`"data":[1,2,3,4,5,6,7,8,9]`: "too_large",
	} {
		if got := outcome(c, `{"id":2,"set":{"ch":"small:a","key":"x",`+value+`}}`); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
	large := strings.Repeat("x", 60_000)
	if got := outcome(c, fmt.Sprintf(`{"id":2,"set":{"ch":"map:a","key":"x","data":%q}}`, large)); got != "published" {
		t.Errorf("a large value where nothing is said: %s", got)
	}
	_, err := srv.Set(t.Context(), "small:a", "x", earshot.JSON("123456789"), earshot.SetOptions{})
	wantCode(t, err, wire.CodeTooLarge)
	if _, err := srv.Delete(t.Context(), "small:a", "x", earshot.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// The application may refuse and change what clients do to keys, and is not asked about what it does itself.
func TestApplicationDecidesAboutKeys(t *testing.T) {
	namespaces := withMaps()
	bounded := namespaces["map"]
	bounded.MaxValue = 100
	namespaces["map"] = bounded
	srv := testkit.Start(t, earshot.Options{
		Namespaces: namespaces,
		OnSet: func(_ context.Context, _ earshot.Session, c *earshot.SetRequest) error {
			switch string(c.Data.Body) {
			case `"no"`:
				return earshot.Reject("no such value")
			case `"more"`:
				c.Data = wire.JSONData([]byte(`"` + strings.Repeat("x", 100) + `"`))
			case `"broken"`:
				c.Data = wire.JSONData([]byte(`{`))
			case `"change me"`:
				c.Data = wire.JSONData([]byte(`"changed"`))
			}
			return nil
		},
		OnDelete: func(_ context.Context, _ earshot.Session, c *earshot.DeleteRequest) error {
			if c.Key == "stays" {
				return earshot.Reject("it stays")
			}
			return nil
		},
	})
	c := testkit.Connect(t, srv.URL)
	for _, tc := range []struct{ frame, want string }{
		{`"set":{"ch":"map:a","key":"x","data":"no"}`, "rejected"},
		{`"set":{"ch":"map:a","key":"x","data":"more"}`, "too_large"},
		{`"set":{"ch":"map:a","key":"x","data":"broken"}`, "internal"},
		{`"set":{"ch":"map:a","key":"stays","data":"change me"}`, "published"},
		{`"set":{"ch":"map:a","key":"goes","data":1}`, "published"},
		{`"del":{"ch":"map:a","key":"stays"}`, "rejected"},
		{`"del":{"ch":"map:a","key":"goes"}`, "published"},
	} {
		if got := outcome(c, `{"id":2,`+tc.frame+`}`); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.frame, got, tc.want)
		}
	}
	keys, err := srv.ReadMap(t.Context(), "map:a")
	if err != nil || len(keys) != 1 || string(keys["stays"].Data.Body) != `"changed"` {
		t.Errorf("the map has %v, %v", keys, err)
	}
	if _, err := srv.Set(t.Context(), "map:a", "x", earshot.JSON("no"), earshot.SetOptions{}); err != nil {
		t.Errorf("the application was asked about itself: %v", err)
	}
	if _, err := srv.Delete(t.Context(), "map:a", "stays", earshot.DeleteOptions{}); err != nil {
		t.Errorf("the application was asked about itself: %v", err)
	}
}

func TestNamespacesThatContradictThemselves(t *testing.T) {
	for want, namespaces := range map[string]map[string]earshot.Namespace{
		"has no rules Subscribe":          {"a": {Kind: earshot.Inbox, Subscribe: earshot.Users}},
		"ReadHistory and Presence":        {"a": {Kind: earshot.Inbox, Presence: earshot.Users}},
		"an anonymous client has no name": {"a": {Kind: earshot.Log, ReadCursors: earshot.Anyone}},
		"only a Log or Inbox namespace":   {"a": {Kind: earshot.Map, ReadCursors: earshot.Users}},
		"unknown Kind":                    {"a": {Kind: earshot.Inbox + 1}},
		"unknown Access":                  {"a": {Kind: earshot.Log, Subscribe: earshot.Owners + 1}},
		"MaxValue is at most":             {"a": {Kind: earshot.Log, MaxValue: 1}},
		"MaxValue is at most 65536":       {"a": {Kind: earshot.Map, MaxValue: 1 << 20}},
		"set ReadCursors of a namespace":  {"read": {Kind: earshot.Map}},
		"set Presence of a namespace":     {"presence": {Kind: earshot.Map}},
	} {
		srv, err := earshot.New(earshot.Options{Data: t.TempDir(), Namespaces: namespaces})
		if err == nil {
			srv.Close(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %s", namespaces, err, want)
		}
	}
}
