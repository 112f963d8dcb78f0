package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys is how many keys of a set are kept. Providers have two or three.
const maxKeys = 100

// keySet is the usable keys of a JWK set (RFC 7517).
type keySet []jose.JSONWebKey

// parseKeySet reads a set. Keys that can't verify a signature, also secrets, are left out, as are those that can't be
// read: they may be of a kind that is newer than this program.
func parseKeySet(text []byte) (keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys, and at most %d are accepted", len(set.Keys), maxKeys)
	}
	var usable keySet
	for _, text := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(text, &k) == nil && verifies(k) {
			usable = append(usable, k)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("the key set has no usable key")
	}
	return usable, nil
}

func verifies(k jose.JSONWebKey) bool {
	return k.IsPublic() && k.Valid() && (k.Use == "" || k.Use == "sig") && algorithmsOf(k.Key) != nil
}

// find returns the key named kid that may verify alg. A token without a kid is accepted if just one key fits.
func (s keySet) find(kid string, alg jose.SignatureAlgorithm) (any, bool) {
	var fitting []any
	for _, k := range s {
		named := kid == "" || k.KeyID == kid
		if named && (k.Algorithm == "" || k.Algorithm == string(alg)) && slices.Contains(algorithmsOf(k.Key), alg) {
			fitting = append(fitting, k.Key)
		}
	}
	if len(fitting) != 1 {
		return nil, false
	}
	return fitting[0], true
}
