// Package e2e tests the built program from outside: real processes, real clients, and a network between them that
// breaks. It holds tests alone.
package e2e
