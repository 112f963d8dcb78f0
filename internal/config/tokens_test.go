package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testSecret = "0123456789abcdef0123456789abcdef"

func TestBadIssuersAndOwners(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	short, good, empty := file("short", "hunter2hunter2\n"), file("good", testSecret+"\n"), file("empty", " \n")
	t.Setenv("SECRET", testSecret)
	t.Setenv("SHORT_SECRET", "hunter2hunter2")
	issuer := func(text string, values ...any) string {
		return "tokens:\n  issuers:\n    - " + fmt.Sprintf(text, values...)
	}
	for _, c := range []struct{ text, want string }{
		{issuer("{}"), "f:3:7: tokens.issuers[0]: needs exactly one of"},
		{issuer("{secret_file: %s, jwks: 'https://a/b'}", good), "needs exactly one of"},
		{issuer("{secret_file: %s, secret_env: SECRET}", good), "has a secret from a file and one from the environment"},
		{issuer("{secret_file: %s}", short), "f:3:7: tokens.issuers[0]: the secret has 14 bytes, and needs at least 32"},
		{issuer("{secret_env: SHORT_SECRET}"), "the secret has 14 bytes"},
		{issuer("{secret_file: %s/none}", dir), "f:3:21: tokens.issuers[0].secret_file: "},
		{issuer("{secret_file: %s}", dir), "is not a file that can be read"},
		{issuer("{secret_file: /dev/zero}"), "is not a file that can be read"},
		{issuer("{secret_file: %s}", empty), "is empty"},
		{issuer("{secret_env: NOT_SET_ANYWHERE}"), `the variable "NOT_SET_ANYWHERE" is not set`},
		{issuer("{public_key_file: %s}", good), "the public key is not in PEM"},
		{issuer("{jwks: 'https://a/b'}"), "a JWKS address needs the issuer's name and the audience"},
		{issuer("{issuer: a, audience: b, jwks: 'http://id.example.com/b'}"), "the JWKS address must be https"},
		{issuer("{secret: x}"), `f:3:8: tokens.issuers[0]: unknown key "secret"; did you mean "secret_`},
		{issuer("{secret_env: SECRET}\n    - {secret_env: SECRET}"), "f:4:7: tokens.issuers[1]: is there twice"},
		{issuer("%s{secret_env: SECRET}", strings.Repeat("{secret_env: SECRET}\n    - ", 16)), "has 17 entries; at most 16"},
		{"tokens: {issuers: {}}", "tokens.issuers: must be a list"},
		{"namespaces: {a: {owners: ['a:x']}}", `namespaces.a.owners[0]: "a:x" names no owner`},
		{"namespaces: {a: {owners: ['a:{user}*']}}", "is not a pattern"},
		{"namespaces: {a: {owners: ['b:{user}'], publish: owners}}", `f:1:27: namespaces.a.owners[0]: does not begin with "a:"`},
		{"namespaces: {a: {owners: ['a:{user}'], publish: users}}", "namespaces.a.owners: has no effect"},
		{"namespaces: {a: {publish: owners}}", "namespaces.a: has a rule for `owners`, but no `owners`"},
		{"namespaces: {a: {kind: inbox, owners: ['a:{user}']}}", "namespaces.a.owners: is not for inboxes"},
		{"namespaces: {revoked: {kind: map}}", "namespaces.revoked: is the server's own"},
	} {
		_, err := load(Source{File: "f"}, []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), testSecret)) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestIssuersHaveTheirKeys(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := load(Source{}, []byte("tokens: {issuers: [{issuer: a, audience: b, secret_file: "+name+"}]}"))
	if err != nil {
		t.Fatal(err)
	}
	got := cfg.Tokens.Verified()
	if len(got) != 1 || got[0].Name != "a" || got[0].Audience != "b" || string(got[0].Secret) != testSecret {
		t.Errorf("got %+v", got)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, *cfg); strings.Contains(text, testSecret) {
			t.Errorf("%s tells the secret: %s", format, text)
		}
	}
}
