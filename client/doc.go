// Package client speaks to an Earshot server: it publishes, subscribes, reads history, changes maps, is present, calls and
// is called over one connection that it opens, watches and opens again by itself.
//
// What it promises:
//   - A subscription sees every publication after its position once, in order, across any number of reconnects, or is
//     told [Reset] (continuity was lost) or [Missed] (the channel keeps nothing, and so many went by). Never silently less.
//   - A publish carries an idempotency id and is repeated until the server answered it or its context ended, so that it
//     is committed once however often the connection breaks.
//   - A slow consumer costs a bounded queue. Beyond it the subscription lets go of the live stream and reads on from the
//     log, at the consumer's pace, until it has caught up.
//   - A watch of a map sees of each key versions that only go up, and in the end the latest; what waits for a slow consumer
//     is bounded by the number of keys. Keys that the session owns, and its presence, are there again once the client is.
//   - A call is made once, or its outcome is said to be unknown.
//   - Close codes are obeyed: some end the client with an [*Error], the others bring it back after the delay that the
//     server named and a jittered backoff.
//
// All methods may be called concurrently.
package client
