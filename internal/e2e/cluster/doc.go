// Package cluster tests servers that share a Redis from outside: real processes of the built program, a real redis-server,
// clients that move between the servers, and networks on both sides of the servers that break. It holds tests alone.
package cluster
