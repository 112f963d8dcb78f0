package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/earshot/earshot"
)

// minGuestSecretBytes keeps a secret from being guessed: a browser makes 32 hexadecimal digits of chance.
const minGuestSecretBytes = 32

// guest lets everybody into the demo. Whoever shows a secret of their own is a user, whose id is made of the secret and
// does not tell it: so nobody can be another guest, or read that guest's inbox, without the secret. Nothing is kept of
// either. Without a secret a client is anonymous.
func guest(_ context.Context, r earshot.ConnectRequest) (earshot.Identity, error) {
	if r.Token == "" {
		return earshot.Identity{}, nil
	}
	if len(r.Token) < minGuestSecretBytes {
		return earshot.Identity{}, earshot.Unauthorized("a guest's secret has at least 32 bytes")
	}
	sum := sha256.Sum256([]byte("earshot demo guest " + r.Token))
	return earshot.Identity{User: hex.EncodeToString(sum[:10])}, nil
}
