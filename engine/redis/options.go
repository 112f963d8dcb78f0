package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// Options say where Redis is and how it is used. Only URL must be set.
type Options struct {
	// URL is redis://user:password@host:port/database, or rediss:// for TLS. User, password, port and database may be left
	// out. Of a cluster it names one node, and ?addr=host:port more of them, any of which will do to find the others. With
	// ?master_set=name it names a Sentinel in the same way, and Redis is the master of that name; ?sentinel_username= and
	// ?sentinel_password= are for Sentinels that ask for them.
	URL string
	// TLS, if not nil, replaces the TLS settings that rediss:// stands for.
	TLS *tls.Config
	// Prefix begins every key and every pub/sub channel. It must not hold braces. Empty: "earshot:".
	Prefix string
	Rules  func(channel string) engine.Rules // called for each operation, concurrently; nil: nothing is kept
	Logger *slog.Logger                      // nil: slog.Default

	// Timeout bounds one call of Redis, and so how long a publish may wait before it fails. Zero: 2 s.
	Timeout time.Duration
	// CheckInterval is how often a channel that was quiet is compared with Redis. Zero: 10 s.
	CheckInterval time.Duration

	Name string // of this node, for operators; empty: the host's name
	// Lease is for how long the other nodes take this one for alive after they heard of it last. Zero: 10 s.
	Lease time.Duration

	now func() time.Time // for tests; nil: the time of Redis
}

func (o *Options) setDefaults() error {
	if o.URL == "" {
		return errors.New("no URL")
	}
	if o.Prefix == "" {
		o.Prefix = "earshot:"
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		return fmt.Errorf("prefix %q holds a brace", o.Prefix)
	}
	if o.Rules == nil {
		o.Rules = func(string) engine.Rules { return engine.Rules{} }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.CheckInterval <= 0 {
		o.CheckInterval = 10 * time.Second
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname()
	}
	return nil
}

// client returns the options of the connections.
func (o *Options) client() (rueidis.ClientOption, error) {
	c, err := rueidis.ParseURL(o.URL)
	if err != nil {
		return c, errors.New("the URL cannot be read") // its error may show the password
	}
	if o.TLS != nil {
		c.TLSConfig = o.TLS
	}
	if c.Sentinel.MasterSet != "" {
		o.sentinel(&c)
	}
	c.DisableCache = true
	c.Dialer.Timeout = o.Timeout
	// A connection that says nothing for so long is given up. Twice a call's time, so that one slow call does not cut it.
	c.ConnWriteTimeout = 2 * o.Timeout
	return c, nil
}

// sentinel sets the options of the connections to Sentinels.
func (o *Options) sentinel(c *rueidis.ClientOption) {
	s := &c.Sentinel
	s.TLSConfig, s.Dialer.Timeout = c.TLSConfig, o.Timeout
	// A master that was replaced lives on as a replica: if the one message that says so is lost, nothing else does.
	s.TopologyRefreshInterval = o.CheckInterval
	if u, err := url.Parse(o.URL); err == nil { // it was read before
		q := u.Query()
		s.Username, s.Password = q.Get("sentinel_username"), q.Get("sentinel_password")
	}
}
