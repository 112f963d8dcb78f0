package earshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/wire"
)

// keysRetry is when a client may come back whose token could not be checked.
const keysRetry = 5 * time.Second

// Issuer is somebody whose tokens are accepted: see Options.Tokens. Exactly one of Secret, PublicKey and JWKS is set.
type Issuer = auth.Issuer

// Claims is what a valid token says.
type Claims = auth.Claims

// Grant allows operations in the channels that its patterns match.
type Grant = auth.Grant

// Connect finds out who a client is: by its token first, then by the application's hook.
func (p policy) Connect(ctx context.Context, h session.Handshake, hello wire.Hello) (session.Identity, error) {
	claims, err := p.verify(ctx, hello.Token)
	if err != nil {
		return session.Identity{}, err
	}
	who, err := p.identify(ctx, h, hello, claims)
	if err != nil {
		return session.Identity{}, err
	}
	if who.User != "" || claims != nil {
		err = p.revoked.await(ctx)
	}
	return who, err
}

// verify returns what a token says; nil without one, or if tokens are for the hook.
func (p policy) verify(ctx context.Context, token string) (*Claims, error) {
	if p.tokens == nil {
		return nil, nil
	}
	if token == "" {
		if p.hooks.OnConnect == nil && !p.hooks.AllowAnonymous {
			return nil, Unauthorized("this server takes no anonymous clients")
		}
		return nil, nil
	}
	claims, err := p.tokens.Verify(ctx, token)
	if refusal := new(wire.ProtocolError); errors.As(err, &refusal) {
		return nil, err
	}
	if err != nil {
		p.log.Warn("a token cannot be checked now", "error", err)
		return nil, &wire.ProtocolError{
			Code: wire.CodeUnavailable, Reason: "the token cannot be checked now", RetryAfter: keysRetry,
		}
	}
	return &claims, nil
}

// identify asks the hook who the client is. Without one, or if it names no user, the token has said it.
func (p policy) identify(ctx context.Context, h session.Handshake, hello wire.Hello, claims *Claims) (session.Identity, error) {
	who := session.Identity{Claims: claims}
	if p.hooks.OnConnect != nil {
		given, err := p.hooks.OnConnect(ctx, ConnectRequest{
			Token: hello.Token, Claims: claims, Client: hello.Client, RemoteAddr: h.RemoteAddr, Header: h.Header,
		})
		if err != nil {
			return session.Identity{}, err
		}
		who.User, who.Data = given.User, given.Data
	}
	if who.User == "" && claims != nil {
		who.User = claims.User
	}
	if err := wire.ValidateUser(who.User); err != nil {
		return session.Identity{}, fmt.Errorf("identity from OnConnect: %w", err)
	}
	return who, nil
}
