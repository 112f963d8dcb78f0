package chat

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://chat.test:8000"+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestIndexIsNotCachedAndNamesFilesThatAreServed(t *testing.T) {
	index := get(t, "GET", "/")
	if got := index.Header.Get("Cache-Control"); index.StatusCode != 200 || got != "no-cache" {
		t.Fatalf("status %d, Cache-Control %q; want 200, no-cache", index.StatusCode, got)
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(body(t, index), -1)
	if len(refs) < 3 {
		t.Fatalf("index.html refers to %d files; want script, style and icon", len(refs))
	}
	for _, ref := range refs {
		if !strings.HasPrefix(ref[1], "/") {
			t.Errorf("index.html refers to %q: not on this server", ref[1])
		} else if r := get(t, "GET", ref[1]); r.StatusCode != 200 {
			t.Errorf("%s: status %d", ref[1], r.StatusCode)
		}
	}
}

func TestIndexHasNoInlineScriptOrStyle(t *testing.T) {
	page := body(t, get(t, "GET", "/"))
	inline := regexp.MustCompile(`(?i)<style|\son\w+=|\sstyle=|<script(?:>|[^>]*[^>]>\s*[^<\s])`)
	if found := inline.FindString(page); found != "" {
		t.Errorf("index.html has %q, which the policy blocks", found)
	}
}

func TestHashedFilesAreKeptForGood(t *testing.T) {
	seen := 0
	err := fs.WalkDir(embedded, "assets/static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		seen++
		r := get(t, "GET", strings.TrimPrefix(name, "assets"))
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		return nil
	})
	if err != nil || seen < 2 {
		t.Errorf("saw %d hashed files, error %v", seen, err)
	}
}

func TestPolicyIsOnEveryAnswer(t *testing.T) {
	for _, path := range []string{"/", "/icon.svg", "/nothing"} {
		h := get(t, "GET", path).Header
		for key, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s is %q; want %q", path, key, got, want)
			}
		}
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'self';", "connect-src 'self' ws://chat.test:8000 wss://chat.test:8000;", "frame-ancestors 'none'",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %q", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestHostCannotChangeThePolicy(t *testing.T) {
	for _, host := range []string{"a;script-src *", "a b", "a'b", "", "a,b", "*", "a:b:c", "http://a"} {
		if got := contentPolicy(host); strings.Contains(got, "ws://") || strings.Count(got, ";") != strings.Count(contentPolicy("a"), ";") {
			t.Errorf("host %q gives %q", host, got)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1:8000", "[::1]:8000", "xn--caf-dma.example"} {
		if got := contentPolicy(host); !strings.Contains(got, " wss://"+host+";") {
			t.Errorf("host %q gives %q", host, got)
		}
	}
}

func TestTagsRevalidate(t *testing.T) {
	tag := get(t, "GET", "/").Header.Get("ETag")
	if r := get(t, "GET", "/", "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("with its own tag %s: status %d; want 304", tag, r.StatusCode)
	}
	if r := get(t, "GET", "/", "If-None-Match", `"other"`); r.StatusCode != http.StatusOK {
		t.Errorf("with another tag: status %d; want 200", r.StatusCode)
	}
	if zipped := get(t, "GET", "/", "Accept-Encoding", "gzip").Header.Get("ETag"); zipped == tag {
		t.Errorf("the compressed page has the same tag %s", tag)
	}
}

func TestGzipIsServedToThoseWhoAskForIt(t *testing.T) {
	for header, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "x-gzip2": false,
	} {
		r := get(t, "GET", "/", "Accept-Encoding", header)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("Accept-Encoding %q: compressed %v; want %v", header, got, want)
		}
	}
	unzip, err := gzip.NewReader(get(t, "GET", "/", "Accept-Encoding", "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(unzip); err != nil || string(got) != body(t, get(t, "GET", "/")) {
		t.Errorf("the compressed page is another (error %v)", err)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "OPTIONS": 405} {
		if r := get(t, method, "/"); r.StatusCode != want {
			t.Errorf("%s: status %d; want %d", method, r.StatusCode, want)
		}
	}
	for _, path := range []string{"/nothing", "/static", "/static/", "/../chat.go", "/assets/index.html"} {
		if r := get(t, "GET", path); r.StatusCode != 404 {
			t.Errorf("%s: status %d; want 404", path, r.StatusCode)
		}
	}
}

func TestUnknownKindOfFileIsRefused(t *testing.T) {
	_, err := load(fstest.MapFS{"assets/page.php": {Data: []byte("x")}}, "assets")
	if err == nil || !strings.Contains(err.Error(), "/page.php") {
		t.Errorf("error %v; want one that names the file", err)
	}
}
