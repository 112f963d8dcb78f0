package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	minSecretBytes = 32
	minRSABits     = 2_048
)

// keySource finds the key that a token claims to be signed with.
type keySource interface {
	// key returns the key named kid for alg. kid is empty if the token names none. The error is errNoKey, or says why the
	// keys could not be had.
	key(ctx context.Context, kid string, alg jose.SignatureAlgorithm) (any, error)
}

// errNoKey says that no key of the issuer fits the token.
var errNoKey = errors.New("the issuer has no such key")

// ownKey is a key that the configuration holds. It has no name, so a token may name it as it likes.
type ownKey struct {
	material any
	accepts  []jose.SignatureAlgorithm
}

func (k ownKey) key(_ context.Context, _ string, alg jose.SignatureAlgorithm) (any, error) {
	if !slices.Contains(k.accepts, alg) {
		return nil, errNoKey
	}
	return k.material, nil
}

func newSecret(secret []byte) (ownKey, error) {
	if len(secret) < minSecretBytes {
		return ownKey{}, fmt.Errorf("the secret has %d bytes, and needs at least %d", len(secret), minSecretBytes)
	}
	return ownKey{slices.Clone(secret), []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}}, nil
}

func newPublicKey(text []byte) (ownKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return ownKey{}, errors.New("the public key is not in PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return ownKey{}, fmt.Errorf("the public key can't be read (a block PUBLIC KEY is wanted): %w", err)
	}
	accepts := algorithmsOf(key)
	if accepts == nil {
		return ownKey{}, errors.New("the public key is of no usable kind: RSA from 2,048 bits, ECDSA, or Ed25519")
	}
	return ownKey{key, accepts}, nil
}

// algorithmsOf returns what a public key may verify; nil if it is of another kind, or too short.
func algorithmsOf(key any) []jose.SignatureAlgorithm {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= minRSABits {
			return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
		}
	case *ecdsa.PublicKey:
		return curveAlgorithm(key.Curve)
	case ed25519.PublicKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}
	}
	return nil
}

// curveAlgorithm returns the one algorithm of a curve (RFC 7518, section 3.4).
func curveAlgorithm(curve elliptic.Curve) []jose.SignatureAlgorithm {
	switch curve {
	case elliptic.P256():
		return []jose.SignatureAlgorithm{jose.ES256}
	case elliptic.P384():
		return []jose.SignatureAlgorithm{jose.ES384}
	case elliptic.P521():
		return []jose.SignatureAlgorithm{jose.ES512}
	}
	return nil
}
