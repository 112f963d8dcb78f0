package redis

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
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
	meta, entries, feed string
	idempotency         string // prefix
}

func (k keyspace) channel(name string) channelKeys {
	tag := hashTag(name)
	base := k.prefix + tag
	return channelKeys{meta: base + ":meta", entries: base + ":log", feed: k.feeds + tag, idempotency: base + ":key:"}
}

// idempotencyKey returns the key that remembers a proposal. Clients choose user and key, so they are hashed by a function
// that nobody can find collisions for.
func (k channelKeys) idempotencyKey(user, key string) string {
	var buf [512]byte
	sum := sha256.Sum256(appendBytes(appendBytes(buf[:0], user), key))
	return k.idempotency + base64.RawURLEncoding.EncodeToString(sum[:16])
}
