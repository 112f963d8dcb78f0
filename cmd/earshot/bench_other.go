//go:build !linux

package main

import "errors"

type benchCommand struct{}

// Run refuses.
func (benchCommand) Run() error {
	return errors.New("it waits with epoll and reads /proc, so it needs Linux")
}
