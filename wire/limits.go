package wire

import "time"

// Limits of the protocol. A frame beyond one of them is refused with CodeBadFrame, CodeBadChannel or CodeTooLarge.
const (
	MaxFrameBytes    = 64 << 10 // a client's frame, as it arrives; also the data of a message
	MaxChannelBytes  = 255      // a channel's name, UTF-8
	MaxPresenceBytes = 246      // the name of a channel in Join and Leave: that of its map is longer
	MaxReadBytes     = 250      // the name of a channel with read cursors: that of their map is longer
	MaxEventBytes    = 64       // an event name
	MaxIdemBytes     = 128      // an idempotency id
	MaxMapKeyBytes   = 255      // a key of a map
	MaxSessionBytes  = 64       // the public id of a session
	MaxMethodBytes   = 64       // the method of a call
	MaxReasonBytes   = 256      // Result.Error
	MaxTokenBytes    = 8 << 10  // a token in Hello and Refresh
	MaxClientBytes   = 128      // Hello.Client
	MinSenderBytes   = 16       // Hello.Sender, unless it is empty
	MaxSecretBytes   = 128      // Hello.Sender and Hello.Resume
	MaxUserBytes     = 255      // the identity of a user
	MaxPositionBytes = 128      // a position as text
	MaxTags          = 16       // tags of a message
	MaxTagKeyBytes   = 64
	MaxTagBytes      = 256
	MaxDepth         = 64        // levels of JSON in a client's frame, data included
	MaxDataDepth     = 62        // levels of JSON in data: those of a client's frame without the two around data
	MaxID            = 1<<53 - 1 // a frame's id: what every JSON reader holds exactly
	MaxLast          = 1 << 20   // Subscribe.Last

	// MaxServerFrameBytes bounds a server's frame; a client may refuse a longer one. The longest is a page.
	MaxServerFrameBytes = 1 << 20

	DefaultPageLimit = 50
	MaxPageLimit     = 500
	MaxPageBytes     = 48 << 10 // a page ends early once its publications reach this

	MinHeartbeat = 5 * time.Second
	MaxHeartbeat = 5 * time.Minute

	MaxTTL = 30 * 24 * time.Hour // Set.TTL
	// MaxExpires is the most that Welcome and Refreshed say: a token that is good for longer is refreshed all the same.
	MaxExpires = 30 * 24 * time.Hour
	MaxEvery   = time.Minute // Subscribe.Every

	DefaultCallTimeout = 10 * time.Second
	MaxCallTimeout     = 5 * time.Minute
)
