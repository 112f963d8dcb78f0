package auth

import (
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Sign returns a token that a Verifier with i accepts, signed with i's secret by HS256.
func Sign(i Issuer, c Claims) (string, error) {
	if len(i.Secret) == 0 {
		return "", errors.New("sign a token: the issuer has no secret")
	}
	if err := checkGrants(c.Grants); err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: i.Secret}, nil)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	registered := jwt.Claims{
		Issuer: i.Name, Subject: c.User, ID: c.ID, Expiry: jwt.NewNumericDate(c.Expires), IssuedAt: jwt.NewNumericDate(c.Issued),
	}
	if i.Audience != "" {
		registered.Audience = jwt.Audience{i.Audience}
	}
	var ours private
	ours.Earshot.Grants, ours.Earshot.Data = c.Grants, c.Data
	token, err := jwt.Signed(signer).Claims(registered).Claims(ours).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}
