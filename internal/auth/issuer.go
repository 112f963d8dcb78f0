package auth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is somebody whose tokens are accepted. Exactly one of Secret, PublicKey and JWKS is set.
type Issuer struct {
	// Name is the token's iss, compared exactly. Empty: tokens that name no issuer.
	Name string
	// Audience must be among the token's aud. Empty: it is not looked at, which is allowed only where the key is this
	// server's own, because a provider of identities signs for others, too.
	Audience string

	// Secret is a key for HS256, HS384 or HS512 of at least 32 bytes (RFC 7518, section 3.2).
	Secret []byte
	// PublicKey is in PEM: RSA of at least 2,048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519. It fixes the algorithms.
	PublicKey []byte
	// JWKS is the https address of a key set (RFC 7517); http is for a loopback address only.
	JWKS string
}

// issuer is an Issuer ready for use.
type issuer struct {
	name, audience string
	keys           keySource
}

func newIssuer(c Issuer, client *http.Client) (*issuer, error) {
	if n := count(len(c.Secret) > 0, len(c.PublicKey) > 0, c.JWKS != ""); n != 1 {
		return nil, errors.New("needs exactly one of a secret, a public key and a JWKS address")
	}
	keys, err := c.source(client)
	if err != nil {
		return nil, err
	}
	if c.JWKS != "" && (c.Name == "" || c.Audience == "") {
		return nil, errors.New("a JWKS address needs the issuer's name and the audience: its keys may sign for others, too")
	}
	return &issuer{name: c.Name, audience: c.Audience, keys: keys}, nil
}

func (c *Issuer) source(client *http.Client) (keySource, error) {
	switch {
	case c.JWKS != "":
		return newRemoteKeys(c.JWKS, client)
	case len(c.Secret) > 0:
		return newSecret(c.Secret)
	}
	return newPublicKey(c.PublicKey)
}

// algorithms are all that a token may name. Which of them an issuer accepts is decided by its keys, never by the token.
var algorithms = []jose.SignatureAlgorithm{
	jose.HS256, jose.HS384, jose.HS512,
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

func describe(i int, c Issuer) string {
	if c.Name == "" {
		return fmt.Sprintf("token issuer %d", i+1)
	}
	return fmt.Sprintf("token issuer %q", c.Name)
}
