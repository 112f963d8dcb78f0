package main

import (
	"fmt"
	"net/http"

	"github.com/earshot/earshot"
)

// routes are the paths of the program's port. Live is the server for those who are let in; who asks for its health always is.
func routes(live http.Handler, server *earshot.Server, page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/live/", live)
	mux.HandleFunc("/health", alive)
	mux.HandleFunc("/ready", server.ServeReady)
	mux.Handle("/", page)
	return mux
}

// alive answers whoever asks whether the process lives.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, "alive")
}
