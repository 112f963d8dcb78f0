package auth

import (
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/earshot/earshot/wire"
)

func newVerifier(t *testing.T, issuers ...Issuer) *Verifier {
	t.Helper()
	v, err := New(issuers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func own(i Issuer) Issuer {
	i.Name, i.Audience = "https://id.test", "earshot"
	return i
}

func TestEveryAlgorithm(t *testing.T) {
	p256, p384, p521, ed := ecKey(elliptic.P256()), ecKey(elliptic.P384()), ecKey(elliptic.P521()), edKey()
	public := func(key any) Issuer { return own(Issuer{PublicKey: publicPEM(t, key)}) }
	for alg, row := range map[jose.SignatureAlgorithm]struct {
		key    any
		issuer Issuer
	}{
		jose.HS256: {secret, own(Issuer{Secret: secret})},
		jose.HS384: {secret, own(Issuer{Secret: secret})},
		jose.HS512: {secret, own(Issuer{Secret: secret})},
		jose.RS256: {rsaKey(), public(rsaKey().Public())},
		jose.RS384: {rsaKey(), public(rsaKey().Public())},
		jose.RS512: {rsaKey(), public(rsaKey().Public())},
		jose.PS256: {rsaKey(), public(rsaKey().Public())},
		jose.PS384: {rsaKey(), public(rsaKey().Public())},
		jose.PS512: {rsaKey(), public(rsaKey().Public())},
		jose.ES256: {p256, public(p256.Public())},
		jose.ES384: {p384, public(p384.Public())},
		jose.ES512: {p521, public(p521.Public())},
		jose.EdDSA: {ed, public(ed.Public())},
	} {
		t.Run(string(alg), func(t *testing.T) {
			v := newVerifier(t, row.issuer)
			token := sign(t, alg, row.key, "", good(), nil)
			c, err := v.Verify(t.Context(), token)
			if err != nil || c.User != "ann" || c.ID != "t1" || time.Until(c.Expires) < 59*time.Minute {
				t.Errorf("Verify = %+v, %v", c, err)
			}
			if c, err := v.Verify(t.Context(), tampered(t, token)); err == nil {
				t.Errorf("a changed token was accepted: %+v", c)
			}
		})
	}
}

// tampered makes the token another user's, under the same signature.
func tampered(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	body := string(must(base64.RawURLEncoding.DecodeString(parts[1])))
	changed := strings.Replace(body, `"ann"`, `"bob"`, 1)
	if changed == body {
		t.Fatal("nothing was changed")
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(changed))
	return strings.Join(parts, ".")
}

func TestRefusals(t *testing.T) {
	public := publicPEM(t, rsaKey().Public())
	v := newVerifier(t, own(Issuer{PublicKey: public}), Issuer{Name: "https://other.test", Audience: "earshot", Secret: secret})
	rs := func(c claims) string { return sign(t, jose.RS256, rsaKey(), "", c, nil) }
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(rs(good()), ".")[1] + "."
	for name, row := range map[string]struct {
		token string
		code  wire.Code
	}{
		"empty":                   {"", wire.CodeUnauthorized},
		"no token":                {"a.b.c", wire.CodeUnauthorized},
		"alg none":                {unsigned, wire.CodeUnauthorized},
		"public key as secret":    {sign(t, jose.HS256, public, "", good(), nil), wire.CodeUnauthorized},
		"another's key":           {sign(t, jose.HS256, secret, "", good(), nil), wire.CodeUnauthorized},
		"own key, other's name":   {rs(with(claims{"iss": "https://other.test"})), wire.CodeUnauthorized},
		"unknown issuer":          {rs(with(claims{"iss": "https://id.test.evil"})), wire.CodeUnauthorized},
		"no issuer":               {rs(with(claims{"iss": nil})), wire.CodeUnauthorized},
		"issuer is no text":       {rs(with(claims{"iss": []string{"https://id.test"}})), wire.CodeUnauthorized},
		"no audience":             {rs(with(claims{"aud": nil})), wire.CodeUnauthorized},
		"another audience":        {rs(with(claims{"aud": "earshot2"})), wire.CodeUnauthorized},
		"no expiry":               {rs(with(claims{"exp": nil})), wire.CodeUnauthorized},
		"expired":                 {rs(with(claims{"exp": time.Now().Add(-time.Minute).Unix()})), wire.CodeTokenExpired},
		"expiry is text":          {rs(with(claims{"exp": "tomorrow"})), wire.CodeUnauthorized},
		"not yet":                 {rs(with(claims{"nbf": time.Now().Add(time.Hour).Unix()})), wire.CodeUnauthorized},
		"issued in the future":    {rs(with(claims{"iat": time.Now().Add(time.Hour).Unix()})), wire.CodeUnauthorized},
		"no subject":              {rs(with(claims{"sub": nil})), wire.CodeUnauthorized},
		"endless subject":         {rs(with(claims{"sub": strings.Repeat("a", 4_000)})), wire.CodeUnauthorized},
		"huge header":             {sign(t, jose.RS256, rsaKey(), "", good(), map[string]any{"x": strings.Repeat("a", 9_000)}), wire.CodeUnauthorized},
		"critical unknown header": {sign(t, jose.RS256, rsaKey(), "", good(), map[string]any{"crit": []string{"x"}, "x": 1}), wire.CodeUnauthorized},
		"grants are no list":      {rs(with(claims{"earshot": claims{"grants": "all"}})), wire.CodeUnauthorized},
		"grant of the unknown":    {rs(with(claims{"earshot": claims{"grants": []claims{{"channels": []string{"a:b"}, "allow": []string{"own"}}}}})), wire.CodeUnauthorized},
		"grant of everything":     {rs(with(claims{"earshot": claims{"grants": []claims{{"channels": []string{"*"}, "allow": []string{"subscribe"}}}}})), wire.CodeUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := v.Verify(t.Context(), row.token)
			var p *wire.ProtocolError
			if !errors.As(err, &p) || p.Code != row.code {
				t.Errorf("Verify = %+v, %v; want code %v", c, err, row.code)
			}
		})
	}
}

func TestClocksMayDiffer(t *testing.T) {
	v := newVerifier(t, own(Issuer{Secret: secret}))
	late := time.Now().Add(-leeway / 2).Unix()
	if _, err := v.Verify(t.Context(), sign(t, jose.HS256, secret, "", with(claims{"exp": late}), nil)); err != nil {
		t.Errorf("a token that has expired within the leeway: %v", err)
	}
}

func TestTokenOfNoName(t *testing.T) {
	v := newVerifier(t, Issuer{Secret: secret})
	if _, err := v.Verify(t.Context(), sign(t, jose.HS256, secret, "any", with(claims{"iss": nil, "aud": nil}), nil)); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(t.Context(), sign(t, jose.HS256, secret, "", good(), nil)); err == nil {
		t.Error("a token of a named issuer was accepted")
	}
}

func TestBadIssuers(t *testing.T) {
	weak := publicPEM(t, weakRSA().Public())
	for name, c := range map[string]Issuer{
		"no key":                    {},
		"two keys":                  {Secret: secret, JWKS: "https://id.test/keys"},
		"short secret":              {Secret: secret[:31]},
		"no PEM":                    {PublicKey: []byte("ssh-rsa AAAA")},
		"short RSA":                 {PublicKey: weak},
		"keys in the clear":         {Name: "a", Audience: "b", JWKS: "http://id.test/keys"},
		"keys from a file":          {Name: "a", Audience: "b", JWKS: "file:///etc/passwd"},
		"a password in the address": {Name: "a", Audience: "b", JWKS: "https://u:p@id.test/keys"},
		"keys of no name":           {Audience: "b", JWKS: "https://id.test/keys"},
		"keys for any audience":     {Name: "a", JWKS: "https://id.test/keys"},
	} {
		if _, err := New([]Issuer{c}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	twice := own(Issuer{Secret: secret})
	if _, err := New([]Issuer{twice, twice}); err == nil {
		t.Error("two issuers of one name: accepted")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiIifQ.AAAA")
	v, err := New([]Issuer{{Secret: secret}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("%q was accepted as %+v", token, c)
		}
	})
}
