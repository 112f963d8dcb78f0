package auth

import (
	"context"
	"crypto"
	"crypto/elliptic"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/earshot/earshot/wire"
)

// issuerAt is an issuer whose keys are served by handler.
func issuerAt(t *testing.T, name string, handler http.HandlerFunc) Issuer {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Issuer{Name: name, Audience: "earshot", JWKS: server.URL}
}

func serve(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }
}

func code(err error) wire.Code {
	var p *wire.ProtocolError
	if errors.As(err, &p) {
		return p.Code
	}
	return 0
}

func TestOneKidInTwoIssuers(t *testing.T) {
	first, second := ecKey(elliptic.P256()), ecKey(elliptic.P256())
	v := newVerifier(t,
		issuerAt(t, "one", serve(setOf(t, map[string]crypto.PublicKey{"k": first.Public()}))),
		issuerAt(t, "two", serve(setOf(t, map[string]crypto.PublicKey{"k": second.Public()}))))
	for name, key := range map[string]any{"one": first, "two": second} {
		if _, err := v.Verify(t.Context(), sign(t, jose.ES256, key, "k", with(claims{"iss": name}), nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Verify(t.Context(), sign(t, jose.ES256, first, "k", with(claims{"iss": "two"}), nil)); code(err) != wire.CodeUnauthorized {
		t.Errorf("the key of one signed for two: %v", err)
	}
}

func TestNoRequestToAnAddressInAToken(t *testing.T) {
	var asked atomic.Int64
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(evil.Close)
	theirs := ecKey(elliptic.P256())
	v := newVerifier(t, issuerAt(t, "one", serve(setOf(t, map[string]crypto.PublicKey{"k": ecKey(elliptic.P256()).Public()}))))
	token := sign(t, jose.ES256, theirs, "k", with(claims{"iss": "one"}), map[string]any{
		"jku": evil.URL, "x5u": evil.URL, "jwk": jose.JSONWebKey{Key: theirs.Public(), KeyID: "k"},
	})
	if _, err := v.Verify(t.Context(), token); code(err) != wire.CodeUnauthorized {
		t.Errorf("Verify: %v", err)
	}
	if asked.Load() > 0 {
		t.Error("a token chose where a request went")
	}
}

func TestKeySetsThatAreNoUse(t *testing.T) {
	key := ecKey(elliptic.P256())
	set := setOf(t, map[string]crypto.PublicKey{"k": key.Public()})
	elsewhere := httptest.NewServer(serve(set))
	t.Cleanup(elsewhere.Close)
	for name, handler := range map[string]http.HandlerFunc{
		"down":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"huge":      serve([]byte(`{"keys":[],"x":"` + strings.Repeat("a", maxKeySet) + `"}`)),
		"no JSON":   serve([]byte("<html>")),
		"many keys": serve([]byte(`{"keys":[` + strings.Repeat(`{},`, maxKeys) + `{}]}`)),
		"secrets":   serve([]byte(`{"keys":[{"kty":"oct","kid":"k","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`)),
	} {
		t.Run(name, func(t *testing.T) {
			v := newVerifier(t, issuerAt(t, "one", handler))
			_, err := v.Verify(t.Context(), sign(t, jose.ES256, key, "k", with(claims{"iss": "one"}), nil))
			if err == nil || code(err) != 0 {
				t.Errorf("Verify: %v; want an error that is no refusal, so that the client tries again", err)
			}
		})
	}
}

// rotating serves a key set that changes, without a network, so that time can be played.
type rotating struct {
	body  []byte
	down  bool
	asked int
}

func (r *rotating) RoundTrip(*http.Request) (*http.Response, error) {
	r.asked++
	if r.down {
		return nil, errors.New("no route")
	}
	w := httptest.NewRecorder()
	w.Write(r.body)
	return w.Result(), nil
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := ecKey(elliptic.P256()), ecKey(elliptic.P256())
		provider := &rotating{body: setOf(t, map[string]crypto.PublicKey{"1": before.Public()})}
		keys, err := newRemoteKeys("https://id.test/keys", &http.Client{Transport: provider})
		if err != nil {
			t.Fatal(err)
		}
		has := func(kid string) error {
			_, err := keys.key(context.Background(), kid, jose.ES256)
			return err
		}
		want := func(what string, got, want error, asked int) {
			t.Helper()
			if !errors.Is(got, want) || provider.asked != asked {
				t.Errorf("%s: %v after %d requests; want %v after %d", what, got, provider.asked, want, asked)
			}
		}
		want("the first key", has("1"), nil, 1)
		provider.body = setOf(t, map[string]crypto.PublicKey{"2": after.Public()})
		for range 100 {
			want("a flood of unknown keys", has("2"), errNoKey, 1)
		}
		time.Sleep(keySetPause)
		want("the new key", has("2"), nil, 2)
		want("the old key", has("1"), errNoKey, 2)

		provider.down = true
		time.Sleep(keySetFresh + time.Second)
		want("a known key while the provider is away", has("2"), nil, 3)
		if err := has("3"); err == nil || errors.Is(err, errNoKey) {
			t.Errorf("an unknown key while the provider is away: %v; want a reason to try again", err)
		}
		time.Sleep(keySetUsable)
		if err := has("2"); err == nil || errors.Is(err, errNoKey) {
			t.Errorf("a day later: %v; want a reason to try again", err)
		}
	})
}
