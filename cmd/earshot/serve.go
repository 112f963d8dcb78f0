package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/earshot/earshot/internal/config"
)

type serveCommand struct {
	Addr         *string `placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one. Default: 127.0.0.1:8000. ($$EARSHOT_ADDR)"`
	Data         *string `placeholder:"DIR" help:"Folder that keeps the logs. Default: ./earshot-data. ($$EARSHOT_DATA)"`
	Engine       *string `placeholder:"URL" help:"Redis or Valkey that many servers share, in place of the data folder: redis://host:port. ($$EARSHOT_ENGINE)"`
	Config       string  `placeholder:"FILE" env:"EARSHOT_CONFIG" help:"Configuration, a YAML file: namespaces, origins, and all else."`
	InsecureOpen bool    `env:"EARSHOT_INSECURE_OPEN" help:"Let everyone do everything in the namespaces log: (retained), live: (nothing kept) and map: (keyed). Only for trying things out."`
}

// Help is printed below the flags.
func (serveCommand) Help() string {
	return `A flag goes over the environment, the environment over the file, and the file over the default.
Nothing is allowed that the configuration does not allow: name a file with --config, or try --insecure-open.`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := c.load(os.Getenv)
	if err != nil {
		return usageError{err}
	}
	c.warn(cfg)
	return runServer(ctx, cfg, options(cfg), http.HandlerFunc(signpost), stdout)
}

func (c *serveCommand) load(env func(string) string) (*config.Config, error) {
	cfg, err := config.Load(config.Source{Flags: flags(c.Addr, c.Data, c.Engine), Env: env, File: c.Config})
	if err == nil && c.InsecureOpen {
		err = config.InsecureOpen(cfg)
	}
	if err == nil && len(cfg.Namespaces) == 0 {
		err = errors.New("no namespace is configured, so no channel could exist; name a file with --config, or try --insecure-open")
	}
	return cfg, err
}

// flags returns the flags that were given, by their configuration key.
func flags(addr, data, engine *string) map[string]string {
	given := make(map[string]string)
	for key, value := range map[string]*string{"addr": addr, "data": data, "engine": engine} {
		if value != nil {
			given[key] = *value
		}
	}
	return given
}

func (c *serveCommand) warn(cfg *config.Config) {
	if c.InsecureOpen {
		slog.Warn("INSECURE: --insecure-open lets everyone who reaches this server read and write everything")
	}
	if !cfg.AllowAnonymous && len(cfg.Tokens.Issuers) == 0 {
		slog.Warn("allow_anonymous is false and tokens names no issuer, so every client is refused")
	}
}
