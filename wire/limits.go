package wire

import "time"

// Limits of the protocol. A frame beyond one of them is refused with CodeBadFrame, CodeBadChannel or CodeTooLarge.
const (
	MaxFrameBytes    = 64 << 10 // a client's frame, as it arrives
	MaxChannelBytes  = 255      // a channel's name, UTF-8
	MaxEventBytes    = 64       // an event name
	MaxKeyBytes      = 128      // an idempotency key
	MaxTokenBytes    = 8 << 10  // a token in Hello and Refresh
	MaxClientBytes   = 128      // Hello.Client
	MaxSecretBytes   = 128      // Hello.Sender and Hello.Resume
	MaxPositionBytes = 128      // a position as text
	MaxTags          = 16       // tags of a message
	MaxTagKeyBytes   = 64
	MaxTagBytes      = 256
	MaxDepth         = 64        // nesting of JSON in a frame, data included
	MaxID            = 1<<53 - 1 // a frame's id: what every JSON reader holds exactly
	MaxLast          = 1 << 20   // Subscribe.Last

	DefaultPageLimit = 50
	MaxPageLimit     = 500
	MaxPageBytes     = 48 << 10 // a page ends early once its publications reach this

	MinHeartbeat = 5 * time.Second
	MaxHeartbeat = 5 * time.Minute
)
