package earshot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/earshot/earshot/internal/auth"
	"github.com/earshot/earshot/wire"
)

// helloTimeout is how long a client may take to open a session where not everybody may.
const helloTimeout = 10 * time.Second

// Options configure a Server. Data or Engine, and at least one namespace, are needed; the zero value of everything else
// is safe.
type Options struct {
	// Data is the folder of the embedded store, made if it is not there. One server at a time may use it.
	Data string
	// Engine is a Redis or Valkey that many servers share, in place of the embedded store:
	// redis://user:password@host:port/database, or rediss:// for TLS. Of a cluster it names one node, and ?addr=host:port
	// more of them; with ?master_set=name it names Sentinels. Empty: the embedded store.
	Engine string
	// Namespaces says what the channels of each namespace keep, and who may use them. A channel of no namespace does
	// not exist, and what no rule allows is forbidden.
	Namespaces map[string]Namespace

	// Tokens are the issuers whose tokens (JWT) clients may show. What a token says is who its client is; until it expires,
	// it allows what the rules allow that user, and what its grants name: see docs/reference/tokens.md. Empty: tokens are
	// whatever OnConnect makes of them.
	Tokens []Issuer
	// AllowAnonymous lets clients connect without a token where there are Tokens. With OnConnect, that decides instead.
	AllowAnonymous bool
	// OnConnect decides who a client is, or refuses it with an error. Where there are Tokens, it is asked about clients with
	// a valid token, who keep the token's user unless it names one, and about those without. Nil: a client is who its token
	// says, or anonymous.
	OnConnect func(ctx context.Context, r ConnectRequest) (Identity, error)
	// OnSubscribe may refuse a subscription, or a read of history, that the namespace's rules allow. Nil: none. It is asked
	// about a channel also when its read cursors are to be read or set.
	OnSubscribe func(ctx context.Context, s Session, channel string) error
	// OnPublish may refuse or change a publish that the namespace's rules allow. Nil: none. It is not called for
	// Server.Publish.
	OnPublish func(ctx context.Context, s Session, p *PublishRequest) error

	// OnSet and OnDelete may refuse or change what a client does to a key of a map, read cursors included, where the namespace's
	// rules allow it. They must leave Channel and Key as they are. Nil: none. They are not called for Server.Set and
	// Server.Delete, nor for presence.
	OnSet    func(ctx context.Context, s Session, c *SetRequest) error
	OnDelete func(ctx context.Context, s Session, c *DeleteRequest) error

	// OnCall answers calls to the server. Nil: nobody does. The context ends with the caller's patience.
	OnCall func(ctx context.Context, s Session, c CallRequest) (Data, error)
	// OnSessionCall may allow a client to call another session, by returning nil. Nil: nobody may.
	OnSessionCall func(ctx context.Context, s Session, c CallRequest) error

	// AllowedOrigins are the web pages that may connect besides those of the server's own host: exact origins, such as
	// "https://example.com".
	AllowedOrigins []string
	// InsecureAnyOrigin lets every page on the web connect in the name of its visitor.
	InsecureAnyOrigin bool

	// Compression agrees with WebSocket clients that offer it to compress messages (permessage-deflate, RFC 7692): less to
	// send, for more CPU. A publication is compressed once for all of its readers.
	Compression bool

	// PingInterval is how often a quiet connection is asked for a sign of life. Zero: 25 s.
	PingInterval time.Duration
	// StallTimeout is how long a connection may take no byte while there is something to send before it is closed. Its
	// session and its places in the channels stay. Zero: 30 s.
	StallTimeout time.Duration
	// CloseNotice is how long Close leaves everything as it is while Health is not ready any more, so that a load balancer
	// stops sending clients before the server refuses them. Zero: not at all.
	CloseNotice time.Duration
	// Log receives what an operator should know. Nil: slog.Default(). It never gets payloads or tokens.
	Log *slog.Logger
}

// ConnectRequest is what OnConnect knows of a client.
type ConnectRequest struct {
	Token      string      // from hello; empty if the client named none
	Claims     *Claims     // what the token says, verified; nil without Options.Tokens, or without a token
	Client     string      // name and version of the client's library, as it says
	RemoteAddr string      // network address of the peer
	Header     http.Header // of the HTTP request; nil when the client refreshes its token
}

// Identity is who a client is.
type Identity struct {
	User string // empty for an anonymous client
	Data any    // attached to the session: see Session.Data
}

// PublishRequest is a client's message on its way to a channel.
type PublishRequest = wire.Publish

// SetRequest is a client's change of a key, and DeleteRequest its deletion.
type (
	SetRequest    = wire.Set
	DeleteRequest = wire.Delete
)

// CallRequest is a client's call.
type CallRequest = wire.Call

// Data is JSON text or bytes.
type Data = wire.Data

func (o *Options) check() error {
	if (o.Data == "") == (o.Engine == "") {
		return errors.New("earshot: Options must have either Data, a folder for the store, or Engine")
	}
	if len(o.Namespaces) == 0 {
		return errors.New("earshot: Options.Namespaces is empty, so no channel could exist")
	}
	for name, ns := range o.Namespaces {
		if instead, taken := companionNamespaces[name]; taken {
			return fmt.Errorf("earshot: the namespace %s is the server's own; %s", name, instead)
		}
		if err := ns.check(name); err != nil {
			return fmt.Errorf("earshot: namespace %q: %w", name, err)
		}
		if err := wire.ValidateChannel(name + ":x"); err != nil {
			return fmt.Errorf("earshot: namespace %q: %w", name, err)
		}
	}
	return nil
}

func (o *Options) logger() *slog.Logger {
	if o.Log != nil {
		return o.Log
	}
	return slog.Default()
}

func (o *Options) helloTimeout() time.Duration {
	if o.OnConnect == nil && (len(o.Tokens) == 0 || o.AllowAnonymous) {
		return 0
	}
	return helloTimeout
}

// verifier checks tokens; nil if there are no issuers.
func (o *Options) verifier() (*auth.Verifier, error) {
	if len(o.Tokens) == 0 {
		return nil, nil
	}
	v, err := auth.New(o.Tokens)
	if err != nil {
		return nil, fmt.Errorf("earshot: %w", err)
	}
	return v, nil
}
