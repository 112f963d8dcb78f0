package main

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/earshot/earshot/internal/config"
)

// runServer serves cfg until ctx ends. It prints one line to stdout once it accepts connections. What page serves, nil
// for nothing, is at every path that is not the library's.
func runServer(context.Context, *config.Config, http.Handler, io.Writer) error {
	return errors.New("the server library is not in this build")
}
