package websocket

import "time"

// Config bounds what one connection may cost. Zero values mean the defaults in parentheses.
//
// Times are kept by a wheel whose slots are a fifth of the shortest of them, at most a second: nothing ends early, and
// everything ends at most two slots late.
type Config struct {
	MaxMessageBytes int           // (64 KB) a message, all its fragments together
	MaxFragments    int           // (1,024) frames of one message
	MessageTimeout  time.Duration // (30 s) from the first byte of a message, or of a control frame, to its last
	PingInterval    time.Duration // (25 s)
	PongGrace       time.Duration // (10 s) a peer from which nothing at all came for this long after a ping is cut off
	StallTimeout    time.Duration // (30 s) a socket that takes no byte for this long is cut off; with TLS, one that does not take a turn
	CloseTimeout    time.Duration // (5 s) for what is left to say, and once more for the peer's close frame
	Workers         int           // (2) pairs of flush workers
	Compression     bool          // whether to agree on permessage-deflate (RFC 7692) with clients that offer it
	TurnBytes       int           // (16 KB) what one connection may write before it is another's turn
}

// Defaults of Config.
const (
	defaultMaxMessageBytes = 64 << 10
	defaultMaxFragments    = 1024
	defaultMessageTimeout  = 30 * time.Second
	defaultPingInterval    = 25 * time.Second
	defaultPongGrace       = 10 * time.Second
	defaultStallTimeout    = 30 * time.Second
	defaultCloseTimeout    = 5 * time.Second
	defaultWorkers         = 2
	defaultTurnBytes       = 16 << 10
)

// withDefaults returns cfg with its zero (and negative) values replaced.
func (cfg Config) withDefaults() Config {
	orDefault(&cfg.MaxMessageBytes, defaultMaxMessageBytes)
	orDefault(&cfg.MaxFragments, defaultMaxFragments)
	orDefault(&cfg.MessageTimeout, defaultMessageTimeout)
	orDefault(&cfg.PingInterval, defaultPingInterval)
	orDefault(&cfg.PongGrace, defaultPongGrace)
	orDefault(&cfg.StallTimeout, defaultStallTimeout)
	orDefault(&cfg.CloseTimeout, defaultCloseTimeout)
	orDefault(&cfg.Workers, defaultWorkers)
	orDefault(&cfg.TurnBytes, defaultTurnBytes)
	return cfg
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// slot returns how long a slot of the wheel lasts.
func (cfg Config) slot() time.Duration {
	shortest := min(cfg.MessageTimeout, cfg.PingInterval, cfg.PongGrace, cfg.StallTimeout, cfg.CloseTimeout)
	return max(time.Millisecond, min(time.Second, shortest/5))
}
