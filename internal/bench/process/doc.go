//go:build linux

// Package process starts the bench's child processes, and reads what the operating system knows of a process.
package process
