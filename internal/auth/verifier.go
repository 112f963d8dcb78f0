package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/earshot/earshot/wire"
)

// Verifier checks tokens of several issuers. It is safe for concurrent use.
type Verifier struct {
	issuers map[string]*issuer // by name
	client  *http.Client
}

// New returns a Verifier. Keys that are far away are fetched when a token first needs them.
func New(issuers []Issuer) (*Verifier, error) {
	v := &Verifier{issuers: make(map[string]*issuer), client: newClient()}
	for i, c := range issuers {
		one, err := newIssuer(c, v.client)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", describe(i, c), err)
		}
		if v.issuers[c.Name] != nil {
			return nil, fmt.Errorf("%s: there are two of that name", describe(i, c))
		}
		v.issuers[c.Name] = one
	}
	return v, nil
}

// Close lets go of idle connections to issuers.
func (v *Verifier) Close() { v.client.CloseIdleConnections() }

// private are the claims of ours: one object, so that they collide with nobody's.
type private struct {
	Earshot struct {
		Grants []Grant         `json:"grants,omitempty"`
		Data   json.RawMessage `json:"data,omitempty"`
	} `json:"earshot"`
}

// Verify checks a token (RFC 7519) and returns what it says. A refusal is a *wire.ProtocolError for the client, whose
// reason has nothing of the token or the keys in it; any other error says why the token could not be checked now.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > wire.MaxTokenBytes {
		return Claims{}, refusal("the token is too long")
	}
	t, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(t.Headers) != 1 {
		return Claims{}, refusal("the token is not a signed JWT of an accepted algorithm")
	}
	from, err := v.issuerOf(t)
	if err != nil {
		return Claims{}, err
	}
	header := t.Headers[0]
	key, err := from.keys.key(ctx, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if errors.Is(err, errNoKey) {
		return Claims{}, refusal("the token is signed with no key of its issuer")
	}
	if err != nil {
		return Claims{}, fmt.Errorf("keys of issuer %q: %w", from.name, err)
	}
	var registered jwt.Claims
	var ours private
	if err := t.Claims(key, &registered, &ours); err != nil {
		return Claims{}, refusal("the token's signature or its claims are not valid")
	}
	return from.accept(registered, ours)
}

// issuerOf returns who the token says has signed it. That is proven later, by the signature.
func (v *Verifier) issuerOf(t *jwt.JSONWebToken) (*issuer, error) {
	var unproven struct {
		Issuer string `json:"iss"`
	}
	if t.UnsafeClaimsWithoutVerification(&unproven) != nil {
		return nil, refusal("the token's claims are not valid")
	}
	from := v.issuers[unproven.Issuer]
	if from == nil {
		return nil, refusal("the token is of an unknown issuer")
	}
	return from, nil
}

// accept checks claims whose signature is good.
func (i *issuer) accept(c jwt.Claims, ours private) (Claims, error) {
	expected := jwt.Expected{Issuer: i.name}
	if i.audience != "" {
		expected.AnyAudience = jwt.Audience{i.audience}
	}
	switch err := c.ValidateWithLeeway(expected, leeway); {
	case errors.Is(err, jwt.ErrExpired):
		return Claims{}, &wire.ProtocolError{Code: wire.CodeTokenExpired}
	case errors.Is(err, jwt.ErrInvalidAudience):
		return Claims{}, refusal("the token is for another audience")
	case err != nil:
		return Claims{}, refusal("the token is not valid yet")
	case c.Expiry == nil:
		return Claims{}, refusal("the token has no expiry")
	case c.Subject == "":
		return Claims{}, refusal("the token has no subject")
	}
	if wire.ValidateUser(c.Subject) != nil {
		return Claims{}, refusal("the token's subject can't be a user")
	}
	if err := checkGrants(ours.Earshot.Grants); err != nil {
		return Claims{}, err
	}
	return Claims{
		User: c.Subject, ID: c.ID, Issuer: c.Issuer, Issued: moment(c.IssuedAt), Expires: c.Expiry.Time(),
		Grants: ours.Earshot.Grants, Data: ours.Earshot.Data,
	}, nil
}

func moment(d *jwt.NumericDate) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.Time()
}

func refusal(reason string) error {
	return &wire.ProtocolError{Code: wire.CodeUnauthorized, Reason: reason}
}
