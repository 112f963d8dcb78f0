// Package auth checks tokens: who a client is, for how long, and what its token grants. It knows no sessions and keeps
// nothing but the keys of issuers.
package auth

import (
	"encoding/json"
	"time"
)

// Claims is what a valid token says.
type Claims struct {
	User    string          // sub; never empty
	ID      string          // jti: names the token, so that it can be revoked; may be empty
	Issuer  string          // iss; empty if its issuer is configured without a name
	Issued  time.Time       // iat; zero if the token does not say
	Expires time.Time       // exp; never zero
	Grants  []Grant         // what the token allows besides the namespaces' rules
	Data    json.RawMessage // what the issuer wants the application to know
}

// Until returns when the token is over for good: when it expires, and the leeway for clocks.
func (c *Claims) Until() time.Time { return c.Expires.Add(leeway) }

// leeway is by how much the clocks of an issuer and of this machine may differ (RFC 7519, section 4.1.4).
const leeway = 30 * time.Second
