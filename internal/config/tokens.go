package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/earshot/earshot/internal/auth"
)

const maxKeyBytes = 64 << 10

// KeyFile is the text of a file that the configuration names: a secret, or a key.
type KeyFile string

// UnmarshalText reads the file named by path.
func (k *KeyFile) UnmarshalText(name []byte) error {
	if _, err := path(string(name)); err != nil {
		return err
	}
	// A pipe or a device might never end.
	if info, err := os.Stat(string(name)); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file that can be read", quote(string(name)))
	}
	f, err := os.Open(string(name))
	if err != nil {
		return fmt.Errorf("%s cannot be opened: %w", quote(string(name)), errors.Unwrap(err))
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, maxKeyBytes+1))
	if err != nil || len(key) > maxKeyBytes || strings.TrimSpace(string(key)) == "" {
		return fmt.Errorf("%s is empty, larger than %v, or cannot be read", quote(string(name)), Bytes(maxKeyBytes))
	}
	*k = KeyFile(strings.TrimSpace(string(key)))
	return nil
}

// String keeps the key out of logs and messages.
func (k KeyFile) String() string { return "(key)" }

// GoString keeps the key out of logs and messages.
func (k KeyFile) GoString() string { return k.String() }

// KeyVariable is the value of a variable of the environment that the configuration names: a secret.
type KeyVariable string

// UnmarshalText reads the variable of that name.
func (k *KeyVariable) UnmarshalText(name []byte) error {
	value := strings.TrimSpace(os.Getenv(string(name)))
	if value == "" {
		return fmt.Errorf("the variable %s is not set", quote(string(name)))
	}
	*k = KeyVariable(value)
	return nil
}

// String keeps the secret out of logs and messages.
func (k KeyVariable) String() string { return "(key)" }

// GoString keeps the secret out of logs and messages.
func (k KeyVariable) GoString() string { return k.String() }

// Verified returns the issuers as those want them who verify tokens.
func (t Tokens) Verified() (issuers []auth.Issuer) {
	for _, i := range t.Issuers {
		issuers = append(issuers, i.verified())
	}
	return issuers
}

func (i Issuer) verified() auth.Issuer {
	return auth.Issuer{
		Name: i.Issuer, Audience: i.Audience, JWKS: i.JWKS,
		Secret: []byte(i.SecretFile + KeyFile(i.SecretEnv)), PublicKey: []byte(i.PublicKeyFile),
	}
}

func (d *decoder) checkIssuers(t Tokens) {
	for i, one := range t.Issuers {
		key := fmt.Sprintf("tokens.issuers[%d]", i)
		if _, err := auth.New([]auth.Issuer{one.verified()}); err != nil {
			d.refuse(key, errors.Unwrap(err).Error())
		}
		if one.SecretFile != "" && one.SecretEnv != "" {
			d.refuse(key, "has a secret from a file and one from the environment; remove one")
		}
		twin := func(other Issuer) bool { return other.Issuer == one.Issuer }
		if slices.IndexFunc(t.Issuers, twin) < i {
			d.refuse(key, "is there twice: each issuer has a name of its own")
		}
	}
}

// checkOwners holds patterns to their namespace, and to rules that use them.
func (d *decoder) checkOwners(ns Namespace, name, key string) {
	owned := slices.Contains([]Who{ns.Subscribe, ns.Publish, ns.ReadHistory, ns.Presence}, Owners)
	if owned && len(ns.Owners) == 0 && ns.Kind != KindInbox {
		d.refuse(key, "has a rule for `owners`, but no `owners`: patterns that say to whom a channel belongs")
	}
	if !owned {
		d.refuse(join(key, "owners"), "has no effect, because no rule of the namespace is `owners`")
	}
	for i, p := range ns.Owners {
		if !strings.HasPrefix(p, name+":") {
			d.refuse(fmt.Sprintf("%s.owners[%d]", key, i), fmt.Sprintf("does not begin with %q", name+":"))
		}
	}
}
