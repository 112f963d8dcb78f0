package redis

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/earshot/earshot/engine/internal/packed"
)

// keyspace names the keys. All keys of a channel, and the name of its feed, are in one slot of a cluster: they hold the
// channel as their hash tag.
type keyspace struct {
	prefix string
	feeds  string // the prefix of feeds; it has the database's number, because pub/sub knows no databases
}

func newKeyspace(prefix string, database int) keyspace {
	k := keyspace{prefix: prefix, feeds: prefix}
	if database != 0 {
		k.feeds = prefix + strconv.Itoa(database) + ":"
	}
	return k
}

// channelEscapes keep a brace from ending the hash tag early. What is escaped differs wherever channels differ.
var channelEscapes = strings.NewReplacer("%", "%25", "}", "%7D")

// hashTag returns the channel as a hash tag. An empty one would not be any.
func hashTag(channel string) string {
	if channel == "" {
		return "{%}"
	}
	if strings.ContainsAny(channel, "%}") {
		channel = channelEscapes.Replace(channel)
	}
	return "{" + channel + "}"
}

// channelKeys are the names of what Redis holds of a channel.
type channelKeys struct {
	base, meta, entries, feed string
	idempotency               string // prefix
}

func (k keyspace) channel(name string) channelKeys {
	tag := hashTag(name)
	base := k.prefix + tag
	return channelKeys{
		base: base, meta: base + ":meta", entries: base + ":log", feed: k.feeds + tag, idempotency: base + ":idem:",
	}
}

// ofMap returns the keys of a map, in the order that the scripts take.
func (k channelKeys) ofMap() []string {
	return []string{
		k.meta, k.base + ":values", k.base + ":versions", k.base + ":expiries", k.base + ":owned", k.base + ":tombstones", k.base + ":tags",
	}
}

// The keys that belong to no channel.
func (k keyspace) leases() string          { return k.prefix + "{nodes}:leases" }
func (k keyspace) infos() string           { return k.prefix + "{nodes}:infos" }
func (k keyspace) sweeper() string         { return k.prefix + "{nodes}:sweeper" }
func (k keyspace) schedule() string        { return k.prefix + "{schedule}" }
func (k keyspace) owned(run string) string { return k.prefix + "{run:" + run + "}:maps" }

// Nodes are told things by feeds that no channel can have: their hash tags are not followed by the end.
func (k keyspace) tellAll() string           { return k.feeds + "{nodes}:all" }
func (k keyspace) tellOne(run string) string { return k.feeds + "{run:" + run + "}:one" }

// idempotencyKey returns the key that remembers a proposal. Clients choose user and key, so they are hashed by a function
// that nobody can find collisions for.
func (k channelKeys) idempotencyKey(user, key string) string {
	var buf [512]byte
	sum := sha256.Sum256(packed.AppendBytes(packed.AppendBytes(buf[:0], user), key))
	return k.idempotency + base64.RawURLEncoding.EncodeToString(sum[:16])
}
