//go:build linux

// Package bench measures a server: what it costs for each connection and each delivery, and how long messages take. It
// compares with a baseline in interleaved pairs of one run, so that what the machine does meanwhile touches both alike.
//
// A scenario (Idle, Connect, Fanout, ...) is a command of the program: its fields are the command's flags, in kong's tags.
// One side of a pair is measured against a fresh server; figures are what comes out; Report is the median of all pairs.
// Servers, load processes and temporary data are gone when a scenario's Run returns.
package bench
