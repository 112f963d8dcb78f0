// Package inmemory has WebSocket clients without sockets, so that there can be more of them than descriptors. Each is a
// net.Conn in the process of the server that it is connected to. It has no goroutine: what the server writes is looked at
// within the server's own call. The server has one for each, that waits in Read, as it has for a socket.
package inmemory
