package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/internal/config"
)

type tokenCommand struct {
	Config  string        `required:"" placeholder:"FILE" env:"EARSHOT_CONFIG" help:"The server's configuration, whose secret signs."`
	Issuer  *string       `placeholder:"NAME" help:"The issuer in whose name to sign. Default: the first that has a secret."`
	User    string        `required:"" placeholder:"NAME" help:"Who the client is to be."`
	Expires time.Duration `default:"1h" placeholder:"DURATION" help:"How long the token is good: 15m, 1h. Default: 1h."`
	ID      string        `placeholder:"ID" help:"Names the token, so that it can be revoked. Default: a random one."`
	Allow   []string      `placeholder:"OPERATION" help:"What the token allows besides the rules: subscribe, publish, history, presence, set. Separated by commas."`
	Channel []string      `sep:"none" placeholder:"PATTERN" help:"In which channels: chat:lobby, chat:*, dm:{user}. May be repeated."`
}

// Help is printed below the flags.
func (tokenCommand) Help() string {
	return "For development, and for programs that have no library for tokens. It is printed, and not kept anywhere."
}

// Run prints the token.
func (c *tokenCommand) Run(stdout io.Writer) error {
	claims, err := c.claims(time.Now())
	if err != nil {
		return usageError{err}
	}
	cfg, err := config.Load(config.Source{Env: os.Getenv, File: c.Config})
	if err != nil {
		return usageError{err}
	}
	issuer, err := c.issuer(cfg.Tokens.Verified())
	if err != nil {
		return usageError{err}
	}
	token, err := auth.Sign(issuer, claims)
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(stdout, token)
	return err
}

func (c *tokenCommand) claims(now time.Time) (auth.Claims, error) {
	claims := auth.Claims{User: c.User, ID: c.ID, Issued: now, Expires: now.Add(c.Expires)}
	switch {
	case c.Expires <= 0:
		return claims, errors.New("--expires: must be more than nothing")
	case (len(c.Allow) == 0) != (len(c.Channel) == 0):
		return claims, errors.New("--allow and --channel: one says what, the other where; give both or none")
	}
	if claims.ID == "" {
		claims.ID = rand.Text()
	}
	if len(c.Allow) > 0 {
		var g auth.Grant
		for _, op := range c.Allow {
			g.Allow = append(g.Allow, auth.Operation(op))
		}
		for _, p := range c.Channel {
			g.Channels = append(g.Channels, auth.Pattern(p))
		}
		claims.Grants = []auth.Grant{g}
	}
	return claims, nil
}

// issuer returns the one to sign for.
func (c *tokenCommand) issuer(all []auth.Issuer) (auth.Issuer, error) {
	for _, i := range all {
		if len(i.Secret) > 0 && (c.Issuer == nil || *c.Issuer == i.Name) {
			return i, nil
		}
	}
	return auth.Issuer{}, errors.New("the configuration has no such issuer with a secret, under tokens")
}
