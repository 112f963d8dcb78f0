package wire

import "time"

// Set gives a key of a map a value. Idem is that of Publish.
type Set struct {
	Channel string
	Key     string
	Data    Data
	// If, unless it is nil, is the version that the key must have; zero: there must be no such key.
	If  *uint64
	TTL time.Duration // the key is deleted so long after the last Set. Zero: it stays. Milliseconds on the wire
	// Own has the key deleted when the session ends or stays without a connection.
	Own  bool
	Idem string
}

// Delete deletes a key of a map. If and Idem are those of Set.
type Delete struct {
	Channel string
	Key     string
	If      *uint64
	Idem    string
}

// Join puts the session into the presence map of a channel, or says that its state is another now.
type Join struct {
	Channel string // the channel itself; its map is PresenceMap of it
	Data    Data   // the user's own state
}

// Leave takes the session out of the presence map of a channel.
type Leave struct{ Channel string }

// PresenceMap returns the name of the map that says who is in channel. It is a valid channel if channel is one of at most
// MaxPresenceBytes.
func PresenceMap(channel string) string { return "presence:" + channel }

// Synced says of a map that its reader now has every key: at the moment at which Position was the map's newest, nothing was
// left to deliver. It comes once for each Subscribe, and again after each Reset.
type Synced struct {
	Channel  string
	Position string
}

func (Set) clientBody()    {}
func (Delete) clientBody() {}
func (Join) clientBody()   {}
func (Leave) clientBody()  {}
func (Synced) serverBody() {}
