// Package chat is the demo's chat page: the files that web/apps/chat is built into, and a handler that serves them.
package chat

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"time"
)

// What `npm run build` in web/apps/chat writes. `npm run check:assets` there proves that it matches its sources.
//
//go:embed assets
var embedded embed.FS

// Handler serves the page at / and its files below. It reads nothing but memory, and may be used concurrently.
func Handler() http.Handler {
	files, err := load(embedded, "assets")
	if err != nil {
		// The files are part of the program: only a broken build gets here.
		panic(fmt.Errorf("chat: load embedded assets: %w", err))
	}
	return files
}

func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setPolicy(w.Header(), r.Host)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed: only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	path := r.URL.Path
	if path == "/" {
		path = "/index.html"
	}
	file, ok := f[path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	file.serve(w, r)
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cacheControl)
	h.Set("Vary", "Accept-Encoding")
	body, tag := f.plain, f.tag
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		// Another representation, so another entity tag (RFC 9110 section 8.8.3.3).
		body, tag = f.gzipped, f.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
