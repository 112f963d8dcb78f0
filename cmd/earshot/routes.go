package main

import (
	"fmt"
	"net/http"

	"github.com/earshot/earshot"
)

// routes are the paths of the program's port.
func routes(server *earshot.Server, page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/live/", server)
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
