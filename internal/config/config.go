// Package config is the program's configuration: one struct, read from flags, the environment and one YAML file, in that
// order of precedence, checked once. docs/reference/config.md is generated from it.
//
// A field's tags say how it is read: yaml is its key, env the variable that sets it, default what the zero value means,
// min and max its bounds, items how many entries a list or a map may
// have, and format the check that a text, or a map's key, must pass.
package config

import "time"

//go:generate go test -run TestReferenceIsCurrent . -update

// Config is everything that can be set. A zero field means its default; Load fills them in.
type Config struct {
	// The address to listen on, `host:port`. Without a host, all of the machine's addresses; port 0 picks a free one.
	Addr string `yaml:"addr" env:"EARSHOT_ADDR" default:"127.0.0.1:8000" format:"address"`
	// The folder that keeps the logs. It is created when missing. A relative path starts where the program was started.
	Data string `yaml:"data" env:"EARSHOT_DATA" default:"./earshot-data" format:"path"`
	// A Redis (7.0 or newer) or Valkey that many servers share, in place of the data folder: `redis://user:password@host:port/database`,
	// or `rediss://` for TLS. Of a cluster it names one node, and `?addr=host:port` more of them;
	// with `?master_set=name` it names Sentinels.
	Engine string `yaml:"engine" env:"EARSHOT_ENGINE" format:"engine"`
	// Whose tokens say who a client is. Without any, clients are anonymous.
	Tokens Tokens `yaml:"tokens"`
	// Whether clients may connect without a token.
	AllowAnonymous bool `yaml:"allow_anonymous" env:"EARSHOT_ALLOW_ANONYMOUS" default:"false"`
	// The web pages that may connect besides those of the server's own origin: `scheme://host` or `scheme://host:port`, compared
	// exactly. There are no wildcards. In the environment, separated by commas.
	AllowedOrigins []string `yaml:"allowed_origins" env:"EARSHOT_ALLOWED_ORIGINS" default:"[]" format:"origin" items:"100"`
	// Whether messages are compressed for WebSocket clients that offer it (permessage-deflate): less to send, for more CPU.
	// A publication is compressed once for all of its readers.
	Compression bool `yaml:"compression" env:"EARSHOT_COMPRESSION" default:"false"`
	// How often a quiet connection is pinged. A connection that stays silent for 10 s after a ping is closed.
	PingInterval time.Duration `yaml:"ping_interval" env:"EARSHOT_PING_INTERVAL" default:"25s" min:"5s" max:"5m"`
	// How long a server that is told to stop goes on as before while `/ready` answers 503. Longer than it takes a load balancer to
	// notice, it keeps clients from being sent to a server that refuses them. Left out: not at all.
	CloseNotice time.Duration `yaml:"close_notice" env:"EARSHOT_CLOSE_NOTICE" min:"100ms" max:"1m"`
	// How many new connections a second the server takes, after a burst of four times as many. Beyond that, clients are answered 503 and come back
	// some seconds later. So are those for whom the process would need its last descriptors. Whatever is set, connections are opened
	// one after the other, at most 1,000 a second for each thread of the program (400 with `tls`): the rest waits in the system's queue.
	ConnectRate int `yaml:"connect_rate" env:"EARSHOT_CONNECT_RATE" default:"5000" min:"1" max:"1000000"`
	// The certificate with which the server speaks https and wss itself, and HTTP/2. Left out: a proxy does, or nobody.
	TLS TLS `yaml:"tls"`
	// The rules of channels, by the part of a channel's name before the colon: at most 64 letters, digits, `-` and `_`.
	// A channel whose namespace is not listed can't be used.
	Namespaces map[string]Namespace `yaml:"namespaces" default:"{}" format:"namespace" items:"256"`
}

// TLS is a certificate in two files, in PEM. They are read again within 10 s when they change.
type TLS struct {
	// The file with the certificate, and after it those between it and its root.
	CertificateFile string `yaml:"certificate_file" format:"path"`
	// The file with its private key.
	KeyFile string `yaml:"key_file" format:"path"`
}

// Tokens says whose tokens are accepted.
type Tokens struct {
	// Those who sign tokens (JWT), each with keys of its own: see [tokens](tokens.md).
	Issuers []Issuer `yaml:"issuers" default:"[]" items:"16"`
}

// Issuer is somebody who signs tokens. Exactly one of the four that name keys is set.
type Issuer struct {
	// What the tokens say in `iss`, compared exactly. Left out: tokens without `iss`.
	Issuer string `yaml:"issuer" format:"text"`
	// What must be among the `aud` of the tokens. Left out: it is not looked at, which is not possible with `jwks`.
	Audience string `yaml:"audience" format:"text"`
	// A file with the secret that signs the tokens (HS256, HS384, HS512): at least 32 bytes. White space around it does not count.
	SecretFile KeyFile `yaml:"secret_file"`
	// The name of a variable of the environment with such a secret.
	SecretEnv KeyVariable `yaml:"secret_env"`
	// A file with a public key in PEM: RSA from 2,048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519.
	PublicKeyFile KeyFile `yaml:"public_key_file"`
	// The https address of a set of public keys (JWKS). It is read when a token first needs it, and again as keys change.
	JWKS string `yaml:"jwks" format:"text"`
}

// Namespace is the rules of the channels whose names begin with it. Its zero value keeps nothing and allows nothing.
type Namespace struct {
	// What a channel keeps: `pub` keeps nothing, `log` is ordered and retained, `map` has the last value of each key. `inbox` is
	// a log for each user, whose name comes after the colon: only that user's clients may subscribe to it and read it.
	Kind Kind `yaml:"kind" default:"pub"`
	// How much a `log` or `inbox` keeps. What is beyond any of its limits is dropped, the oldest first. A limit that is left out does not
	// apply, but a log always has one: if none is named, it keeps 1,000 publications for 24 hours.
	History History `yaml:"history"`
	// What an acknowledged publication of a `log`, `inbox` or `map` survives: `fsync` a power cut; `may-lose-tail` a clean stop, but
	// after `kill -9` or a crash of the machine the newest may be gone, and the channel then begins anew. Not with an
	// `engine`: there it is Redis that says.
	Durability Durability `yaml:"durability" default:"fsync"`
	// To whom channels belong, where a rule below is `owners`: to the users for whom one of these patterns matches the channel. A
	// pattern begins with the namespace and has `{user}` in it, and `*` for any text: `dm:{user},*` and `dm:*,{user}` make
	// `dm:ann,ben` that of `ann` and `ben`.
	Owners []string `yaml:"owners" default:"[]" format:"pattern" items:"16"`
	// Who may subscribe: `nobody`, `users` (clients with a token), `anyone` (where `allow_anonymous` lets them connect), or
	// `owners`. What a token grants is allowed besides.
	Subscribe Who `yaml:"subscribe" default:"nobody"`
	// Who may publish, or, in a `map`, set and delete keys. In an `inbox`: who may publish into those of all users.
	Publish Who `yaml:"publish" default:"nobody"`
	// Who may read a log's history: in pages, or by subscribing from some publications before the newest. Who may read a
	// `map` in pages; whoever may subscribe to it is told all of its keys.
	ReadHistory Who `yaml:"read_history" default:"nobody"`
	// Who may be present in the channels, and see who is. Not for an `inbox`.
	Presence Who `yaml:"presence" default:"nobody"`
	// Who may say how far they have read a `log`: `nobody` or `users`. An `inbox` always has read cursors. Whoever may subscribe
	// to a channel sees them.
	ReadCursors Who `yaml:"read_cursors" default:"nobody"`
	// How many keys a `map` may have. Left out: 10,000.
	MaxKeys int `yaml:"max_keys" min:"1" max:"1000000"`
	// How much data the value of a key of a `map` may have. Left out: 64KB.
	MaxValue Bytes `yaml:"max_value" min:"1B" max:"64KB"`
}

// History limits what a log keeps. A zero field sets no limit; the zero value means DefaultHistory.
type History struct {
	// How many publications.
	Size int `yaml:"size" min:"1" max:"100000000"`
	// How much data: the sum of the publications' data, event names, tags and publishers.
	Bytes Bytes `yaml:"bytes" min:"64KB" max:"1TB"`
	// How old a publication may be.
	Age time.Duration `yaml:"age" min:"1s" max:"3650d"`
}

// DefaultHistory is what a log keeps when its namespace does not say.
var DefaultHistory = History{Size: 1000, Age: 24 * time.Hour}
