package earshot

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// revokedChannel is the map of what is revoked: one for all servers of an engine.
const revokedChannel = "revoked:all"

// maxRevoked bounds the revocations that hold at a time, of which each server keeps a copy.
const maxRevoked = 100_000

// maxRevokedFor bounds how long a revocation holds.
const maxRevokedFor = 10 * 365 * 24 * time.Hour

var revokedRules = engine.Rules{Kind: engine.KindMap, MaxKeys: maxRevoked}

// Revocation says who may not be here, until when. Exactly one of User and Token is set.
type Revocation struct {
	User  string    // whatever said so: all tokens of the user, and OnConnect
	Token string    // the id (jti) of tokens, whoever issued them
	Until time.Time // such as when the token expires; at most ten years from now
}

// Revoke ends all sessions of a user or of a token, on all servers, and keeps them from coming back until its time is over, also
// when servers start anew. Their clients are told "unauthorized".
//
// Once it is committed, which is when the error is nil or ErrUnconfirmed, it holds on every server that hears from the engine.
// If the error is nil, all servers have confirmed that the sessions are gone.
func (s *Server) Revoke(ctx context.Context, r Revocation) error {
	if err := r.check(); err != nil {
		return err
	}
	version, err := s.commitRevocation(ctx, r)
	if err != nil {
		return err
	}
	s.revoked.foresee(r.key(), r.Until, version)
	return s.node.Do(ctx, revokedOrder(Whom{User: r.User, Token: r.Token}))
}

// commitRevocation puts a revocation into the map, which all servers follow, and returns its version.
func (s *Server) commitRevocation(ctx context.Context, r Revocation) (uint64, error) {
	value, err := json.Marshal(revoked{User: r.User, Token: r.Token, UntilMS: r.Until.UnixMilli()})
	if err != nil {
		return 0, fmt.Errorf("encode a revocation: %w", err)
	}
	change := &engine.MapChange{Key: r.key(), TTL: time.Until(r.Until)}
	return s.changeRevoked(ctx, engine.Proposal{Map: change, Message: wire.Message{Data: wire.JSONData(value)}})
}

// endRevoked ends the sessions of this server that are revoked.
func (s *Server) endRevoked(who Whom) { s.node.DoHere(revokedOrder(who)) }

func revokedOrder(who Whom) session.Order {
	return session.Order{Whom: who, Action: session.Disconnect, Code: wire.CloseUnauthorized, Reason: session.ReasonRevoked}
}

// Unrevoke ends a revocation of a user or of a token before its time. Until is not looked at.
func (s *Server) Unrevoke(ctx context.Context, r Revocation) error {
	_, err := s.changeRevoked(ctx, engine.Proposal{Map: &engine.MapChange{Key: r.key(), Delete: true}})
	return err
}

// changeRevoked commits a change of the map and returns its version.
func (s *Server) changeRevoked(ctx context.Context, p engine.Proposal) (uint64, error) {
	p.Channel = revokedChannel
	receipt, err := engine.PublishWait(ctx, s.engine, p)
	if err != nil {
		return 0, fmt.Errorf("commit a revocation: %w", err)
	}
	return receipt.Position.Offset, nil
}

func (r Revocation) check() error {
	left := time.Until(r.Until)
	switch {
	case (r.User == "") == (r.Token == ""):
		return wire.Errorf(wire.CodeBadFrame, "a revocation is of either a user or a token")
	case len(r.User) > wire.MaxUserBytes || len(r.Token) > wire.MaxTokenBytes:
		return wire.Errorf(wire.CodeTooLarge, "there is no user or token with so long a name")
	case left <= 0 || left > maxRevokedFor:
		return wire.Errorf(wire.CodeBadFrame, "a revocation ends in the future, and within ten years")
	}
	return nil
}

// key names what is revoked in the map: names of users may be longer than keys.
func (r Revocation) key() string {
	if r.Token != "" {
		return hashed("token " + r.Token)
	}
	return hashed("user " + r.User)
}

func hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// revoked is the value of a key of the map.
type revoked struct {
	User    string `json:"user,omitempty"`
	Token   string `json:"token,omitempty"`
	UntilMS int64  `json:"until_ms"`
}
