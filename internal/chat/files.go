package chat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// files are the served files by URL path. Read-only once loaded.
type files map[string]*file

type file struct {
	plain, gzipped []byte
	tag            string // of the content, without quotes
	contentType    string
	cacheControl   string
}

// hashedDir holds the files whose names carry a hash of their content.
const hashedDir = "/static/"

// Not the system's table of types, which differs from machine to machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

func load(fsys fs.FS, root string) (files, error) {
	loaded := files{}
	err := fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		url := strings.TrimPrefix(name, root)
		loaded[url], err = newFile(url, content)
		return err
	})
	return loaded, err
}

func newFile(url string, content []byte) (*file, error) {
	contentType, ok := contentTypes[path.Ext(url)]
	if !ok {
		return nil, fmt.Errorf("no content type for %s", url)
	}
	var gzipped bytes.Buffer
	zip := gzip.NewWriter(&gzipped)
	if _, err := zip.Write(content); err != nil {
		return nil, fmt.Errorf("compress %s: %w", url, err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("compress %s: %w", url, err)
	}
	sum := sha256.Sum256(content)
	f := &file{
		plain:        content,
		gzipped:      gzipped.Bytes(),
		tag:          hex.EncodeToString(sum[:8]),
		contentType:  contentType,
		cacheControl: "no-cache",
	}
	if strings.HasPrefix(url, hashedDir) {
		f.cacheControl = "public, max-age=31536000, immutable"
	}
	return f, nil
}

// acceptsGzip reports whether an Accept-Encoding header (RFC 9110 section 12.5.3) names gzip without refusing it.
func acceptsGzip(header string) bool {
	for item := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight = strings.TrimSpace(weight)
		return weight == "" || strings.Trim(weight, "qQ=0. ") != ""
	}
	return false
}
