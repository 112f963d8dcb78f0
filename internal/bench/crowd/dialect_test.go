//go:build linux

package crowd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files for other servers can be read, and say what is needed.
func TestPeers(t *testing.T) {
	files, err := filepath.Glob("../../../bench/peers/*/frames.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, file := range files {
		d, err := ReadDialect(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if d.Name == "" || (len(d.Hello) > 0 || len(d.Subscribe) > 0) && (d.Ready == "" || d.Failed == "") {
			t.Errorf("%s: %+v", file, d)
		}
	}
}

func TestBadDialects(t *testing.T) {
	for text, want := range map[string]string{
		"publish: x":                 "publish does not name {data}",
		"publish: '{data}'\nredy: x": "unknown field",
		"[":                          "frames.yaml",
	} {
		file := filepath.Join(t.TempDir(), "frames.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadDialect(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
