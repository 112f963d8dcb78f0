//go:build linux

// Package crowd is the client side of the bench: many WebSocket connections that cost little, so that what is measured is
// the server. A connection is a non-blocking socket without a goroutine or a buffer of its own; a few loops wait for all of
// them with epoll, and find deliveries by the marks in them.
package crowd
